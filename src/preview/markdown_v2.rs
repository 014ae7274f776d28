//! The Markdown of `markdown_v2` and of aibots (document paths 99110 and 101463) as HTML: CommonMark with tables. Pure.

use pulldown_cmark::{Alignment, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::html::Html;

/// Something to be said at a line: its number, counted from 1, and the rule.
pub(super) type LineMark = (usize, String);

/// Writes a text. Marks are written behind what their line has; those that have found no place are returned.
pub(super) fn write(
    html: &mut Html,
    text: &str,
    marks: Vec<LineMark>,
    mark: impl Fn(&mut Html, &str),
) -> Vec<LineMark> {
    let mut writer =
        Writer { html, alignments: Vec::new(), cell: 0, is_in_head: false, links: Vec::new(), picture: None };
    let mut marks = marks.into_iter().peekable();
    let (mut line, mut counted) = (1, 0);
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        // One element may be several pieces of text: marks stand where its line, cell or block ends.
        if ends_line(&event) {
            // A block's text ends with the break of its last line.
            let last = line - usize::from(text[..counted].ends_with('\n'));
            while let Some((_, rule)) = marks.next_if(|(at, _)| counted > 0 && *at <= last) {
                mark(writer.html, &rule);
            }
        }
        let has_text = matches!(event, Event::Text(_) | Event::Code(_) | Event::InlineHtml(_) | Event::Html(_));
        writer.event(event);
        // Pieces of text come in the order of the text.
        if has_text && range.end > counted {
            line += text[counted..range.end].bytes().filter(|byte| *byte == b'\n').count();
            counted = range.end;
        }
    }
    marks.collect()
}

fn ends_line(event: &Event<'_>) -> bool {
    match event {
        Event::SoftBreak | Event::HardBreak | Event::Start(Tag::List(_)) => true,
        Event::End(end) => matches!(
            end,
            TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item
                | TagEnd::TableCell
                | TagEnd::CodeBlock
                | TagEnd::HtmlBlock
        ),
        _ => false,
    }
}

struct Writer<'h> {
    html: &'h mut Html,
    alignments: Vec<Alignment>,
    cell: usize,
    is_in_head: bool,
    /// The tags to close.
    links: Vec<&'static str>,
    /// The words and the address of the picture that is being read.
    picture: Option<(String, String)>,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>) {
        if self.picture.is_some() {
            return self.in_picture(event);
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Code(text) => {
                self.html.element("code", "", &text);
            }
            Event::SoftBreak => {
                self.html.own("\n");
            }
            Event::HardBreak => {
                self.html.own("<br>");
            }
            Event::Rule => {
                self.html.own("<hr>");
            }
            // Tags are shown, and so is what belongs to extensions that are not asked for.
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => {
                self.html.text(&text);
            }
            Event::TaskListMarker(_) => {}
        }
    }

    /// The words of a picture are text, whatever is in them.
    fn in_picture(&mut self, event: Event<'_>) {
        match event {
            Event::End(TagEnd::Image) => {
                if let Some((words, address)) = self.picture.take() {
                    super::media::write_remote_picture(self.html, "picture", &address, &words);
                }
            }
            Event::Text(text) | Event::Code(text) => {
                self.picture.iter_mut().for_each(|(words, _)| words.push_str(&text));
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let html = &mut *self.html;
        match tag {
            Tag::Paragraph => {
                html.own("<p>");
            }
            Tag::Heading { level, .. } => {
                html.open("div", heading(level));
            }
            Tag::BlockQuote(_) => {
                html.own("<blockquote>");
            }
            Tag::CodeBlock(_) => {
                html.own("<pre><code>");
            }
            Tag::HtmlBlock => {
                html.own("<p>");
            }
            Tag::List(None) => {
                html.own("<ul>");
            }
            Tag::List(Some(first)) => {
                html.open_with("ol", "", &[("start", &first.to_string())]);
            }
            Tag::Item => {
                html.own("<li>");
            }
            Tag::Table(alignments) => {
                self.alignments = alignments;
                html.own("<div class=\"table\"><table>");
            }
            Tag::TableHead => {
                (self.is_in_head, self.cell) = (true, 0);
                html.own("<tr>");
            }
            Tag::TableRow => {
                self.cell = 0;
                html.own("<tr>");
            }
            Tag::TableCell => {
                let class = match self.alignments.get(self.cell) {
                    Some(Alignment::Center) => "middle",
                    Some(Alignment::Right) => "right",
                    _ => "",
                };
                self.cell += 1;
                html.open(if self.is_in_head { "th" } else { "td" }, class);
            }
            Tag::Emphasis => {
                html.own("<em>");
            }
            Tag::Strong => {
                html.own("<strong>");
            }
            Tag::Link { dest_url, .. } => self.links.push(html.open_link("", &dest_url)),
            Tag::Image { dest_url, .. } => self.picture = Some((String::new(), dest_url.into_string())),
            // Of extensions that are not asked for.
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        let html = &mut *self.html;
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                html.own("</p>");
            }
            TagEnd::Heading(_) => {
                html.own("</div>");
            }
            TagEnd::BlockQuote(_) => {
                html.own("</blockquote>");
            }
            TagEnd::CodeBlock => {
                html.own("</code></pre>");
            }
            TagEnd::List(false) => {
                html.own("</ul>");
            }
            TagEnd::List(true) => {
                html.own("</ol>");
            }
            TagEnd::Item => {
                html.own("</li>");
            }
            TagEnd::Table => {
                html.own("</table></div>");
            }
            TagEnd::TableHead => {
                self.is_in_head = false;
                html.own("</tr>");
            }
            TagEnd::TableRow => {
                html.own("</tr>");
            }
            TagEnd::TableCell => {
                html.own(if self.is_in_head { "</th>" } else { "</td>" });
            }
            TagEnd::Emphasis => {
                html.own("</em>");
            }
            TagEnd::Strong => {
                html.own("</strong>");
            }
            TagEnd::Link => {
                if let Some(tag) = self.links.pop() {
                    html.close(tag);
                }
            }
            _ => {}
        }
    }
}

/// A heading of a message is none of the page.
fn heading(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "h h1",
        HeadingLevel::H2 => "h h2",
        HeadingLevel::H3 => "h h3",
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => "h h4",
    }
}
