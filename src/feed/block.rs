//! The lines that tell of one alert among others, or of annotations.

use super::notification::Occurrence;

/// The name of the label that names the alert.
pub(super) const NAME: &str = "alertname";

/// Annotations that are sentences: shown without their name, in this order.
const SENTENCES: [&str; 3] = ["summary", "description", "message"];

/// What of an alert stands elsewhere already.
pub(super) struct Told<'n> {
    pub(super) labels: &'n [(String, String)],
    pub(super) annotations: &'n [(String, String)],
    /// Addresses.
    pub(super) urls: Vec<&'n str>,
}

/// An alert's annotations, figures, times and links.
pub(super) fn details(occurrence: &Occurrence, told: &Told<'_>) -> Vec<String> {
    let own: Vec<_> = occurrence.annotations.iter().filter(|pair| !told.annotations.contains(pair)).collect();
    let mut lines = annotations(&own);
    if !occurrence.values.is_empty() {
        lines.push(format!("values: {}", occurrence.values));
    }
    lines.extend(period(occurrence));
    let links = occurrence.links.iter().map(|(label, url)| (*label, url)).chain([("image", &occurrence.image)]);
    let links = links.filter(|(_, url)| !url.is_empty() && !told.urls.contains(&url.as_str()));
    lines.extend(links.map(|(label, url)| format!("{label}: {url}")));
    lines
}

/// The first line of one among several: `2. FIRING DiskFull instance=web-1, device=sda1`.
pub(super) fn head(number: usize, occurrence: &Occurrence, told: &Told<'_>) -> String {
    let status = if occurrence.is_firing { "FIRING" } else { "RESOLVED" };
    let own = || occurrence.labels.iter().filter(|pair| !told.labels.contains(pair));
    let name = own().find(|(key, _)| key == NAME).map(|(_, name)| format!(" {name}")).unwrap_or_default();
    let rest: Vec<_> = own().filter(|(key, _)| key != NAME).map(|(key, value)| format!("{key}={value}")).collect();
    format!("{number}. {status}{name} {}", rest.join(", ")).trim_end().to_owned()
}

/// Annotations as lines: the sentences first, each but once, then the others with their names.
pub(super) fn annotations(pairs: &[&(String, String)]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in SENTENCES {
        for (_, text) in pairs.iter().filter(|(key, _)| key == name) {
            if !lines.contains(text) {
                lines.push(text.clone());
            }
        }
    }
    let others = pairs.iter().filter(|(key, _)| !SENTENCES.contains(&key.as_str()));
    lines.extend(others.map(|(key, text)| format!("{key}: {text}")));
    lines
}

/// Since when it fires, and until when it did.
fn period(occurrence: &Occurrence) -> Option<String> {
    let said = |word: &str, time: &str| (!time.is_empty()).then(|| format!("{word} {time}"));
    let until = said("until", &occurrence.ends_at).filter(|_| !occurrence.is_firing);
    let words: Vec<_> = said("since", &occurrence.starts_at).into_iter().chain(until).collect();
    (!words.is_empty()).then(|| words.join(" "))
}
