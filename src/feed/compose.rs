//! A notification made into an alert: what is in common once, the rest in blocks.

use super::block::{NAME, Told, annotations, details, head};
use super::notification::{Notification, Occurrence, Pairs};
use crate::alert::{Alert, Field, Link};
use crate::sanitize::excerpt;

/// Labels in the order in which they help: what, how bad, then from the large to the small. All others follow.
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

/// What tells a single alert from its like, where its group does not.
const PLACES: [&str; 7] = ["instance", "host", "hostname", "node", "pod", "service", "job"];

/// How many names a title lists.
const MOST_NAMES: usize = 3;

/// How many labels a title lists, and the longest value there, in characters; all of them are fields too.
const MOST_LABELS: usize = 3;
const LONGEST_VALUE: usize = 40;

/// The alert that says it all.
pub(super) fn alert(notification: &Notification) -> Alert {
    let occurrences = &notification.occurrences;
    let labels = in_common(occurrences, |its| &its.labels, [&notification.common_labels, &notification.group_labels]);
    let common_annotations = in_common(occurrences, |its| &its.annotations, [&notification.common_annotations]);
    let title = title(notification);
    let link = link(notification);
    let picurl = occurrences.iter().map(|its| its.image.as_str()).find(|url| is_web(url));

    let shared = shared_links(occurrences);
    let urls = shared.iter().map(|(_, url)| url.as_str()).chain(link).chain(picurl).collect();
    let told = Told { labels: &labels, annotations: &common_annotations, urls };
    let body = body(notification, &told, &shared);
    let is_in_title = |value: &str| title.contains(value);
    let mut fields: Pairs = labels.iter().filter(|(key, value)| key != NAME || !is_in_title(value)).cloned().collect();
    fields.sort_by_key(|(key, _)| ORDER.iter().position(|name| name == key).unwrap_or(ORDER.len()));
    Alert {
        level: Some(notification.level()),
        fields: fields.into_iter().map(|(key, value)| Field { key, value }).collect(),
        body: Some(body).filter(|body| !body.is_empty()),
        link: link.map(|url| Link { url: url.to_owned(), label: None }),
        picurl: picurl.map(str::to_owned),
        title: Some(title),
        ..Alert::default()
    }
}

/// What all have, and what the notification says that all have, in the order of the first one.
fn in_common<const N: usize>(
    occurrences: &[Occurrence],
    of: impl Fn(&Occurrence) -> &Pairs,
    given: [&Pairs; N],
) -> Pairs {
    let Some((first, others)) = occurrences.split_first() else { return Pairs::new() };
    let mut common: Pairs = of(first).clone();
    common.retain(|pair| others.iter().all(|other| of(other).contains(pair)));
    for pair in given.into_iter().flatten() {
        if !common.contains(pair) {
            common.push(pair.clone());
        }
    }
    common
}

/// What several alerts all point to: once is enough.
fn shared_links(occurrences: &[Occurrence]) -> Vec<(&'static str, String)> {
    let Some((first, others)) = occurrences.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Vec::new();
    };
    let mut shared = first.links.clone();
    shared.retain(|link| others.iter().all(|other| other.links.contains(link)));
    shared
}

/// `[FIRING:10, RESOLVED:2, +3 more] DiskFull (job=node)`, or the user's own.
fn title(notification: &Notification) -> String {
    if let Some(title) = &notification.title {
        return title.clone();
    }
    let occurrences = &notification.occurrences;
    let firing = occurrences.iter().filter(|occurrence| occurrence.is_firing).count();
    let is_single = occurrences.len() == 1 && notification.truncated == 0;
    let counted = [("FIRING", firing), ("RESOLVED", occurrences.len() - firing)].into_iter().filter(|(_, n)| *n > 0);
    let mut counts: Vec<_> =
        counted.map(|(word, n)| if is_single { word.to_owned() } else { format!("{word}:{n}") }).collect();
    if notification.truncated > 0 {
        counts.push(format!("+{} more", notification.truncated));
    }
    format!("[{}] {}{}", counts.join(", "), names(notification), distinction(notification))
}

/// The names of the alerts, each once.
fn names(notification: &Notification) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in notification.occurrences.iter().filter_map(|occurrence| occurrence.label(NAME)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.len() {
        0 => format!("{} alert", notification.format.title()),
        count if count > MOST_NAMES => format!("{} +{}", names[..MOST_NAMES].join(", "), count - MOST_NAMES),
        _ => names.join(", "),
    }
}

/// What tells this group from its like: ` (job=node)`.
fn distinction(notification: &Notification) -> String {
    let is_place = |(key, _): &&(String, String)| key != NAME && key != "grafana_folder";
    let mut labels: Vec<_> = notification.group_labels.iter().filter(is_place).collect();
    if let (true, [single]) = (labels.is_empty(), notification.occurrences.as_slice()) {
        let place = PLACES.iter().find_map(|name| single.labels.iter().find(|(key, _)| key == name));
        labels.extend(place);
    }
    let shown: Vec<_> = labels
        .iter()
        .take(MOST_LABELS)
        .map(|(key, value)| format!("{key}={}", excerpt(value, LONGEST_VALUE)))
        .collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) }
}

/// Where a single alert was raised, else the monitoring system itself.
fn link(notification: &Notification) -> Option<&str> {
    let single = match notification.occurrences.as_slice() {
        [single] => Some(single.source.as_str()),
        _ => None,
    };
    single.into_iter().chain([notification.external_url.as_str()]).find(|url| is_web(url))
}

fn is_web(url: &str) -> bool {
    let start = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    start.starts_with("http://") || start.starts_with("https://")
}

fn body(notification: &Notification, told: &Told<'_>, shared: &[(&str, String)]) -> String {
    let mut paragraphs: Vec<String> = notification.message.iter().cloned().collect();
    paragraphs.push(annotations(&told.annotations.iter().collect::<Vec<_>>()).join("\n"));
    let is_single = notification.occurrences.len() == 1;
    for (index, occurrence) in notification.occurrences.iter().enumerate() {
        let head = (!is_single).then(|| head(index + 1, occurrence, told));
        let lines: Vec<_> = head.into_iter().chain(details(occurrence, told)).collect();
        paragraphs.push(lines.join("\n"));
    }
    match notification.truncated {
        0 => {}
        1 => paragraphs.push("1 more alert is not in this notification".to_owned()),
        more => paragraphs.push(format!("{more} more alerts are not in this notification")),
    }
    let mut links: Vec<_> = shared.iter().map(|(label, url)| format!("{label}: {url}")).collect();
    let external = notification.external_url.as_str();
    if !external.is_empty() && !told.urls.contains(&external) {
        links.push(format!("{}: {external}", notification.format.title()));
    }
    paragraphs.push(links.join("\n"));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}
