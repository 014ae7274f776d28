//! Markdown of both kinds: the reading of each is in a file of its own.

use serde_json::Value;

use crate::channel::{Markup, MsgType};
use crate::message::unsupported_in_lines;
use crate::sort::sort_by_key;

use super::markdown_v1::{self, MarkdownLine, Phrase};
use super::markdown_v2::{self, LineMark};
use super::marks::Weight;
use super::painter::{MOST_SHOWN, Painter, in_room, is_everybody, most};

impl Painter<'_> {
    pub(super) fn markdown(&mut self, msgtype: MsgType, content: &Value) -> bool {
        let Some(text) = content.get("content").and_then(Value::as_str) else { return false };
        let path = format!("{}.content", msgtype.as_str());
        let findings = self.marks.take(&path);
        let (kept, over) = in_room(text, &findings);
        let (kept, hidden) = kept.split_at(most(kept, MOST_SHOWN));
        let mut marks = unsupported_in_lines(msgtype, self.channel, kept);
        sort_by_key(&mut marks, |(line, _)| *line);
        let is_v2 = self.channel.markup(msgtype) == Markup::MarkdownV2;
        self.html.open("div", if is_v2 { "bubble markdown v2" } else { "bubble markdown v1" });
        let left = if is_v2 {
            markdown_v2::write(&mut self.html, kept, marks, |html, rule| {
                html.mark(Weight::Changed, rule);
            })
        } else {
            self.markdown_v1(kept, marks)
        };
        self.hidden(hidden);
        self.over(over, &findings);
        left.iter().for_each(|(_, rule)| {
            self.html.mark(Weight::Changed, rule);
        });
        findings.iter().for_each(|(weight, finding)| {
            self.html.mark(*weight, &finding.problem);
        });
        self.html.close("div");
        true
    }

    fn markdown_v1(&mut self, text: &str, mut marks: Vec<LineMark>) -> Vec<LineMark> {
        for (index, line) in markdown_v1::read(text).iter().enumerate() {
            let (class, pieces) = match line {
                MarkdownLine::Heading(level, pieces) => (["h h1", "h h2", "h h3", "h h4"][(*level).min(4) - 1], pieces),
                MarkdownLine::Quote(pieces) => ("quote", pieces),
                MarkdownLine::Plain(pieces) => ("line", pieces),
            };
            self.html.open("div", class);
            self.pieces(pieces);
            let (here, later) = marks.into_iter().partition(|(line, _)| *line == index + 1);
            marks = later;
            let here: Vec<LineMark> = here;
            here.iter().for_each(|(_, rule)| {
                self.html.mark(Weight::Changed, rule);
            });
            self.html.close("div");
        }
        marks
    }

    fn pieces(&mut self, pieces: &[Phrase<'_>]) {
        for piece in pieces {
            match piece {
                Phrase::Text(text) => {
                    self.html.text(text);
                }
                Phrase::Bold(inner) => {
                    self.html.open("strong", "");
                    self.pieces(inner);
                    self.html.close("strong");
                }
                Phrase::Code(text) => {
                    self.html.element("code", "", text);
                }
                Phrase::Font(color, inner) => {
                    let class = match color.to_ascii_lowercase().as_str() {
                        "info" => "info",
                        "comment" => "comment",
                        "warning" => "warning",
                        _ => "",
                    };
                    self.html.open("span", class);
                    self.pieces(inner);
                    self.html.close("span");
                }
                Phrase::Link { label, address } => {
                    self.html.link("", address, label);
                }
                Phrase::Mention(id) if self.channel.facts().mentions && !is_everybody(id) => {
                    self.mention(id);
                }
                Phrase::Mention(id) => {
                    self.html.text("<@").text(id).text(">");
                }
            }
        }
    }
}
