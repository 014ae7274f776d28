//! A notification rendered as an alert: what is in common once, the rest in a block for each of its alerts.

use super::{LinkKind, Notification, Occurrence, Pairs};
use crate::address::has_http_scheme;
use crate::alert::{Alert, AlertLink, Field, Level};
use crate::sanitize::excerpt;
use crate::sort;
use crate::words::{Language, Words};

/// The label that names the alert.
const NAME: &str = "alertname";

/// The order of labels as fields: what, how bad, then from the large to the small. All others follow.
const ORDER: [&str; 22] = [
    NAME,
    "severity",
    "priority",
    "cluster",
    "environment",
    "env",
    "region",
    "datacenter",
    "namespace",
    "team",
    "service",
    "app",
    "job",
    "instance",
    "host",
    "hostname",
    "node",
    "pod",
    "container",
    "device",
    "mountpoint",
    "grafana_folder",
];

/// Labels that distinguish a single alert in the title where its group has none.
const PLACES: [&str; 7] = ["instance", "host", "hostname", "node", "pod", "service", "job"];

/// How many alert names a title lists.
const MOST_NAMES: usize = 3;

/// How many labels a title lists, and the longest value there, in characters; all of them are fields too.
const MOST_LABELS: usize = 3;
const LONGEST_VALUE: usize = 40;

/// Annotations that are sentences: shown without their name, in this order.
const SENTENCES: [&str; 3] = ["summary", "description", "message"];

/// The labels that may tell the severity, the first one first.
const SEVERITY_LABELS: [&str; 3] = ["severity", "priority", "level"];

/// The whole notification as an alert.
pub(super) fn alert(notification: &Notification, language: Language) -> Alert {
    let words = language.words();
    let occurrences = &notification.occurrences;
    let labels = in_common(occurrences, |its| &its.labels, &[&notification.common_labels, &notification.group_labels]);
    let common_annotations = in_common(occurrences, |its| &its.annotations, &[&notification.common_annotations]);
    let (status, name) = title(notification, words);
    let title = format!("{status}{name}");
    let link = link(notification);
    let picurl = occurrences.iter().map(|its| its.image.as_str()).find(|url| has_http_scheme(url));

    let shared = shared_links(occurrences);
    let urls = shared.iter().map(|(_, url)| url.as_str()).chain(link).chain(picurl).collect();
    let shown = Shown { labels: &labels, annotations: &common_annotations, urls };
    let body = body(notification, &shown, &shared, words);
    let is_in_title = |value: &str| title.contains(value);
    let mut fields: Pairs = labels.iter().filter(|(key, value)| key != NAME || !is_in_title(value)).cloned().collect();
    sort::sort_by_key(&mut fields, |(key, _)| ORDER.iter().position(|name| name == key).unwrap_or(ORDER.len()));
    Alert {
        level: Some(level(occurrences)),
        fields: fields.into_iter().map(|(key, value)| Field { key, value }).collect(),
        body: Some(body).filter(|body| !body.is_empty()),
        has_links_in_body: true,
        link: link.map(|url| AlertLink { url: url.to_owned(), label: None }),
        picurl: picurl.map(str::to_owned),
        title: Some(title),
        status_len: status.len(),
        language,
        ..Alert::default()
    }
}

/// Ok if nothing fires any more, else the worst level of what fires.
fn level(occurrences: &[Occurrence]) -> Level {
    let firing = occurrences.iter().filter(|occurrence| occurrence.is_firing);
    firing.map(severity).max().unwrap_or(Level::Ok)
}

/// The level by the labels. No label, or an unknown word, means critical: a missing label must not hide an alert. What fires
/// is never shown as ok.
pub(super) fn severity(occurrence: &Occurrence) -> Level {
    let word = SEVERITY_LABELS.iter().find_map(|name| occurrence.label(name));
    match word.and_then(Level::from_word) {
        Some(Level::Ok) => Level::Info,
        Some(level) => level,
        None => Level::Critical,
    }
}

/// The labels that all alerts have, and those that the notification says that all have, in the order of the first
/// alert.
fn in_common(occurrences: &[Occurrence], of: impl Fn(&Occurrence) -> &Pairs, given: &[&Pairs]) -> Pairs {
    let Some((first, others)) = occurrences.split_first() else { return Pairs::new() };
    let mut common: Pairs = of(first).clone();
    common.retain(|pair| others.iter().all(|other| of(other).contains(pair)));
    for pair in given.iter().copied().flatten() {
        if !common.contains(pair) {
            common.push(pair.clone());
        }
    }
    common
}

/// The links that several alerts all have: they are listed once, below them.
fn shared_links(occurrences: &[Occurrence]) -> Vec<(LinkKind, String)> {
    let [first, others @ ..] = occurrences else { return Vec::new() };
    let mut shared = first.links.clone();
    shared.retain(|link| !others.is_empty() && others.iter().all(|other| other.links.contains(link)));
    shared
}

/// `[FIRING:10, RESOLVED:2, +3 more] ` and `DiskFull (job=node)`, or the user's own title in two.
fn title(notification: &Notification, words: &Words) -> (String, String) {
    if let Some(title) = &notification.title {
        let end = title.find("] ").filter(|_| title.starts_with("[FIRING") || title.starts_with("[RESOLVED"));
        let (status, name) = title.split_at(end.map_or(0, |end| end + 2));
        return (status.to_owned(), name.to_owned());
    }
    let occurrences = &notification.occurrences;
    let firing = occurrences.iter().filter(|occurrence| occurrence.is_firing).count();
    let is_single = occurrences.len() == 1 && notification.truncated == 0;
    let counted = [(words.firing, firing), (words.resolved, occurrences.len() - firing)];
    let counted = counted.into_iter().filter(|(_, n)| *n > 0);
    let mut counts: Vec<_> =
        counted.map(|(word, n)| if is_single { word.to_owned() } else { (words.counted)(word, n) }).collect();
    if notification.truncated > 0 {
        counts.push((words.more)(notification.truncated));
    }
    let [open, close] = words.brackets;
    let status = format!("{open}{}{close}", counts.join(words.comma));
    (status, names(notification, words) + &distinction(notification, words))
}

/// The names of the alerts, each once.
fn names(notification: &Notification, words: &Words) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in notification.occurrences.iter().filter_map(|occurrence| occurrence.label(NAME)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.len() {
        0 => (words.nameless)(notification.format.facts().0),
        count if count > MOST_NAMES => {
            let shown = names[..MOST_NAMES].join(words.name_comma);
            (words.more_names)(&shown, count - MOST_NAMES, count)
        }
        _ => names.join(words.name_comma),
    }
}

/// What distinguishes this group from others of the same name: ` (job=node)`.
fn distinction(notification: &Notification, words: &Words) -> String {
    let is_place = |(key, _): &&(String, String)| key != NAME && key != "grafana_folder";
    let mut labels: Vec<_> = notification.group_labels.iter().filter(is_place).collect();
    if let (true, [single]) = (labels.is_empty(), notification.occurrences.as_slice()) {
        labels.extend(PLACES.iter().find_map(|name| single.labels.iter().find(|(key, _)| key == name)));
    }
    let labels: Vec<_> = labels
        .iter()
        .take(MOST_LABELS)
        .map(|(key, value)| format!("{key}={}", excerpt(value, LONGEST_VALUE)))
        .collect();
    let [open, close] = words.parentheses;
    if labels.is_empty() { String::new() } else { format!("{open}{}{close}", labels.join(words.comma)) }
}

/// The address of a single alert's rule, else that of the monitoring system.
fn link(notification: &Notification) -> Option<&str> {
    let source = match notification.occurrences.as_slice() {
        [single] => &single.source,
        _ => "",
    };
    [source, &notification.external_url].into_iter().find(|url| has_http_scheme(url))
}

fn body(notification: &Notification, shown: &Shown<'_>, shared: &[(LinkKind, String)], words: &Words) -> String {
    let mut paragraphs: Vec<String> = notification.message.iter().cloned().collect();
    paragraphs.push(annotations(&shown.annotations.iter().collect::<Vec<_>>(), words).join("\n"));
    let is_single = notification.occurrences.len() == 1;
    for (index, occurrence) in notification.occurrences.iter().enumerate() {
        let head = (!is_single).then(|| head(index + 1, occurrence, shown, words));
        let lines: Vec<_> = head.into_iter().chain(details(occurrence, shown, words)).collect();
        paragraphs.push(lines.join("\n"));
    }
    if notification.truncated > 0 {
        paragraphs.push((words.more_alerts)(notification.truncated));
    }
    let line = |label: &str, url: &str| format!("{label}{}{url}", words.colon);
    let mut links: Vec<_> = shared.iter().map(|(kind, url)| line(kind.label(words), url)).collect();
    let external = notification.external_url.as_str();
    if !external.is_empty() && !shown.urls.contains(&external) {
        links.push(line(notification.format.facts().0, external));
    }
    paragraphs.push(links.join("\n"));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

/// What the alert shows elsewhere already, so that blocks leave it out.
struct Shown<'n> {
    labels: &'n [(String, String)],
    annotations: &'n [(String, String)],
    /// Addresses.
    urls: Vec<&'n str>,
}

/// An alert's annotations, figures, times and links.
fn details(occurrence: &Occurrence, shown: &Shown<'_>, words: &Words) -> Vec<String> {
    let own: Vec<_> = occurrence.annotations.iter().filter(|pair| !shown.annotations.contains(pair)).collect();
    let mut lines = annotations(&own, words);
    let line = |label: &str, text: &str| format!("{label}{}{text}", words.colon);
    if !occurrence.values.is_empty() {
        lines.push(line(words.values, &occurrence.values));
    }
    lines.extend(period(occurrence, words));
    let links = occurrence.links.iter().map(|(kind, url)| (kind.label(words), url));
    let links = links.chain([(words.image, &occurrence.image)]);
    let links = links.filter(|(_, url)| !url.is_empty() && !shown.urls.contains(&url.as_str()));
    lines.extend(links.map(|(label, url)| line(label, url)));
    lines
}

impl LinkKind {
    fn label(self, words: &Words) -> &'static str {
        match self {
            Self::Source => words.source,
            Self::Panel => words.panel,
            Self::Dashboard => words.dashboard,
            Self::Silence => words.silence,
        }
    }
}

/// The first line of one among several: `2. FIRING DiskFull instance=web-1, device=sda1`.
fn head(number: usize, occurrence: &Occurrence, shown: &Shown<'_>, words: &Words) -> String {
    let status = if occurrence.is_firing { words.firing } else { words.resolved };
    let own = || occurrence.labels.iter().filter(|pair| !shown.labels.contains(pair));
    let name = own().find(|(key, _)| key == NAME).map(|(_, name)| format!(" {name}")).unwrap_or_default();
    let rest: Vec<_> = own().filter(|(key, _)| key != NAME).map(|(key, value)| format!("{key}={value}")).collect();
    format!("{number}. {status}{name} {}", rest.join(words.comma)).trim_end().to_owned()
}

/// Annotations as lines: the sentences first, each but once, then the others with their names.
fn annotations(pairs: &[&(String, String)], words: &Words) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in SENTENCES {
        for (_, text) in pairs.iter().filter(|(key, _)| key == name) {
            if !lines.contains(text) {
                lines.push(text.clone());
            }
        }
    }
    let others = pairs.iter().filter(|(key, _)| !SENTENCES.contains(&key.as_str()));
    lines.extend(others.map(|(key, text)| format!("{key}{}{text}", words.colon)));
    lines
}

/// Since when it fires, and until when it did.
fn period(occurrence: &Occurrence, words: &Words) -> Option<String> {
    let said = |say: fn(&str) -> String, time: &str| (!time.is_empty()).then(|| say(time));
    let until = said(words.until, &occurrence.ends_at).filter(|_| !occurrence.is_firing);
    let said: Vec<_> = said(words.since, &occurrence.starts_at).into_iter().chain(until).collect();
    (!said.is_empty()).then(|| said.join(words.period_comma))
}
