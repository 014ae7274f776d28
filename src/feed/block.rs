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
    let since = moment(&occurrence.starts_at).map(|at| format!("since {at}"));
    let until = moment(&occurrence.ends_at).filter(|_| !occurrence.is_firing).map(|at| format!("until {at}"));
    let words: Vec<_> = since.into_iter().chain(until).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// `2026-03-01T10:00:12.3Z` to the minute, in the zone that it names; anything else as it is, and nothing for what
/// means never.
fn moment(text: &str) -> Option<String> {
    if text.is_empty() || text.starts_with("0001-01-01T") {
        return None;
    }
    let shortened = || {
        let (date, time) = text.split_once('T')?;
        let minutes = time.get(..5).filter(|minutes| {
            minutes.bytes().enumerate().all(|(at, byte)| if at == 2 { byte == b':' } else { byte.is_ascii_digit() })
        })?;
        let zone = time.get(5..)?.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '.'));
        let zone = if zone == "Z" { " UTC" } else { zone };
        Some(format!("{date} {minutes}{zone}"))
    };
    Some(shortened().unwrap_or_else(|| text.to_owned()))
}
