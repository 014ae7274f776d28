//! The directory of a corp as output: lines for scripts, tables for a terminal, fields of the JSON document.

use serde_json::{Value, json};

use wecom_alert::delivery::{Listing, TagMember};
use wecom_alert::directory::{Department, Member, Tag};
use wecom_alert::sanitize::one_line;
use wecom_alert::secret::Mask;

/// A line for each row, with tabs between its columns and without a head.
pub(super) fn listing_lines(listing: &Listing, mask: &Mask) -> String {
    let shown = |text: &str| one_line(&mask.apply(text));
    let mut text = String::new();
    match listing {
        Listing::Departments(rows) => {
            rows.iter().for_each(|row| text.push_str(&format!("{}\t{}\t{}\n", row.id, row.parent, shown(&row.name))))
        }
        Listing::Members(rows) => rows.iter().for_each(|row| {
            let departments = joined(&row.departments);
            text.push_str(&format!("{}\t{}\t{departments}\n", shown(&row.userid), shown(&row.name)));
        }),
        Listing::Tags(rows) => {
            rows.iter().for_each(|row| text.push_str(&format!("{}\t{}\n", row.id, shown(&row.name))));
        }
        Listing::TagMembers(rows) => rows.iter().for_each(|row| {
            text.push_str(&format!("{}\t{}\t{}\n", <&str>::from(row.kind), shown(&row.id), shown(&row.name)));
        }),
    }
    text
}

/// The same for people. Names come last on their lines: how many columns a character takes is known for ids alone.
pub(super) fn listing_table(listing: &Listing, mask: &Mask) -> String {
    let shown = |text: &str| one_line(&mask.apply(text));
    match listing {
        Listing::Departments(rows) => {
            // Those above the one at hand: rows come in the order of the tree.
            let mut above: Vec<u32> = Vec::new();
            let rows = rows.iter().map(|row| {
                while above.last().is_some_and(|id| *id != row.parent) {
                    above.pop();
                }
                let depth = above.len();
                above.push(row.id);
                [row.id.to_string(), format!("{:indent$}{}", "", shown(&row.name), indent = 2 * depth)]
            });
            table(["ID", "NAME"], rows.collect())
        }
        Listing::Members(rows) => {
            let row = |row: &Member| [shown(&row.userid), joined(&row.departments), shown(&row.name)];
            table(["USERID", "DEPARTMENTS", "NAME"], rows.iter().map(row).collect())
        }
        Listing::Tags(rows) => {
            table(["ID", "NAME"], rows.iter().map(|row| [row.id.to_string(), shown(&row.name)]).collect())
        }
        Listing::TagMembers(rows) => {
            let row = |row: &TagMember| [<&str>::from(row.kind).to_owned(), shown(&row.id), shown(&row.name)];
            table(["KIND", "ID", "NAME"], rows.iter().map(row).collect())
        }
    }
}

/// The widest that a column gets for the sake of one row in it.
const WIDEST: usize = 32;

/// Rows below their heads, all columns but the last as wide as their texts; nothing without rows.
fn table<const N: usize>(heads: [&str; N], rows: Vec<[String; N]>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut widths = heads.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count().min(WIDEST));
        }
    }
    let heads = heads.map(str::to_owned);
    let mut text = String::new();
    for row in std::iter::once(&heads).chain(&rows) {
        for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
            match at + 1 == N {
                true => text.push_str(cell),
                false => text.push_str(&format!("{cell:width$}  ")),
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

/// The field that the document gets, and its rows one by one: thousands of them as one tree of values would take many times
/// the memory of their text.
pub(super) fn listing_rows<'a>(
    listing: &'a Listing,
    mask: &'a Mask,
) -> (&'static str, Box<dyn Iterator<Item = Value> + 'a>) {
    let shown = |text: &str| mask.apply(text);
    match listing {
        Listing::Departments(rows) => {
            let row = move |row: &Department| json!({ "id": row.id, "parentid": row.parent, "name": shown(&row.name) });
            ("departments", Box::new(rows.iter().map(row)))
        }
        Listing::Members(rows) => {
            let row = move |row: &Member| json!({ "userid": shown(&row.userid), "name": shown(&row.name), "departments": row.departments });
            ("members", Box::new(rows.iter().map(row)))
        }
        Listing::Tags(rows) => {
            let row = move |row: &Tag| json!({ "id": row.id, "name": shown(&row.name) });
            ("tags", Box::new(rows.iter().map(row)))
        }
        Listing::TagMembers(rows) => {
            let row = move |row: &TagMember| json!({ "kind": <&str>::from(row.kind), "id": shown(&row.id), "name": shown(&row.name) });
            ("members", Box::new(rows.iter().map(row)))
        }
    }
}

/// Ids by comma.
fn joined(ids: &[u32]) -> String {
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}
