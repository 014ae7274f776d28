//! What only Grafana sends: the title and message that it writes where nobody set one, and the notifications of its old
//! alerting (before version 9).

use std::collections::HashSet;

use super::node::JsonNode;
use super::{LinkKind, Notification, Occurrence, Pairs};
use crate::sort;

/// The default title, as Grafana's template `default.title` makes it:
/// `[FIRING:2, RESOLVED:1] group labels (other common labels)`. Order and brackets do not matter here.
pub(super) fn is_default_title(title: &str, notification: &Notification) -> bool {
    let firing = notification.occurrences.iter().filter(|occurrence| occurrence.is_firing).count();
    let resolved = notification.occurrences.len() - firing;
    let status = match (firing, resolved) {
        (0, _) => "[RESOLVED]".to_owned(),
        (_, 0) => format!("[FIRING:{firing}]"),
        _ => format!("[FIRING:{firing}, RESOLVED:{resolved}]"),
    };
    let group = &notification.group_labels;
    let other = notification.common_labels.iter().filter(|pair| !group.iter().any(|(name, _)| *name == pair.0));
    let values: Vec<&str> = group.iter().chain(other).map(|(_, value)| value.as_str()).collect();
    words(title) == words(&format!("{status} {}", values.join(" ")))
}

/// The words of a title in alphabetical order.
fn words(title: &str) -> Vec<String> {
    let mut words: Vec<_> = title.replace(['(', ')'], " ").split_whitespace().map(str::to_owned).collect();
    sort::sort(&mut words);
    words
}

/// The default message, as Grafana's template `default.message` makes it: below `**Firing**` and `**Resolved**` a block for
/// each alert with its value, labels, annotations and addresses, all of which are shown anyway. With any other line it is
/// somebody's own.
pub(super) fn is_default_message(message: &str, notification: &Notification) -> bool {
    const HEADINGS: [&str; 4] = ["**Firing**", "**Resolved**", "Labels:", "Annotations:"];
    const ADDRESSES: [&str; 5] = ["Value:", "Source:", "Silence:", "Dashboard:", "Panel:"];
    let pairs =
        notification.occurrences.iter().flat_map(|occurrence| occurrence.labels.iter().chain(&occurrence.annotations));
    let items: Vec<_> = pairs.map(|(name, value)| format!("- {name} = {value}")).collect();
    let known: HashSet<_> = items.iter().flat_map(|item| item.split('\n')).map(str::trim).collect();
    let is_known = |line: &str| {
        HEADINGS.contains(&line) || ADDRESSES.iter().any(|name| line.starts_with(name)) || known.contains(line)
    };
    let mut lines = message.split('\n').map(str::trim).filter(|line| !line.is_empty());
    let begins = HEADINGS[..2].iter().any(|heading| message.starts_with(heading));
    begins && message.contains("Labels:") && lines.all(is_known)
}

/// Whether it is a notification of Grafana's old alerting.
pub(super) fn is_old(root: &JsonNode<'_>) -> bool {
    root.has("evalMatches") || root.has("state") && (root.has("ruleName") || root.has("ruleUrl"))
}

/// A notification of the old alerting: one rule, with what it measured.
pub(super) fn read_old(root: &JsonNode<'_>) -> Occurrence {
    let state = root.text("state").to_ascii_lowercase();
    let figure =
        |node: JsonNode<'_>| Some((node.text("metric"), node.text("value"))).filter(|(_, value)| !value.is_empty());
    let values: Vec<_> = root
        .field("evalMatches")
        .into_iter()
        .flat_map(|matches| matches.items())
        .filter_map(figure)
        .map(|(metric, value)| if metric.is_empty() { value } else { format!("{metric}={value}") })
        .collect();
    let mut labels: Pairs = vec![("alertname".to_owned(), root.text("ruleName"))];
    // `no_data`, `pending`, `paused`: firing or not says too little.
    if !matches!(state.as_str(), "alerting" | "ok" | "") {
        labels.push(("state".to_owned(), state.clone()));
    }
    labels.extend(root.pairs("tags"));
    labels.retain(|(_, value)| !value.is_empty());
    let annotations = [("message", root.text("message"))];
    let source = root.text("ruleUrl");
    Occurrence {
        is_firing: state != "ok",
        labels,
        annotations: annotations
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(n, t)| (n.to_owned(), t))
            .collect(),
        links: vec![(LinkKind::Source, source.clone())].into_iter().filter(|(_, url)| !url.is_empty()).collect(),
        source,
        image: root.text("imageUrl"),
        values: values.join(", "),
        ..Occurrence::default()
    }
}
