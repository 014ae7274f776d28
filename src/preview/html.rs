//! HTML that is written piece by piece. What is not a part of this program is escaped: no other way leads into it.

use crate::address::has_http_scheme;

/// HTML that is being written.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// A piece of this program's own markup.
    pub(super) fn own(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// What was written apart.
    pub(super) fn written(&mut self, html: Self) -> &mut Self {
        self.0.push_str(&html.0);
        self
    }

    /// Any text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // No page may hold these.
                c if c.is_control() && !matches!(c, '\n' | '\t') => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self
    }

    pub(super) fn open(&mut self, tag: &'static str, class: &'static str) -> &mut Self {
        self.open_with(tag, class, &[])
    }

    /// An element with attributes, whose values are escaped.
    pub(super) fn open_with(
        &mut self,
        tag: &'static str,
        class: &'static str,
        attributes: &[(&'static str, &str)],
    ) -> &mut Self {
        self.own("<").own(tag);
        if !class.is_empty() {
            self.own(" class=\"").own(class).own("\"");
        }
        for (name, value) in attributes {
            self.own(" ").own(name).own("=\"").text(value).own("\"");
        }
        self.own(">")
    }

    pub(super) fn close(&mut self, tag: &'static str) -> &mut Self {
        self.own("</").own(tag).own(">")
    }

    /// An element with a text in it.
    pub(super) fn element(&mut self, tag: &'static str, class: &'static str, text: &str) -> &mut Self {
        self.open(tag, class).text(text).close(tag)
    }

    /// Begins a link, which is none where the address is no web address: `javascript:` and the like never become one. Returns
    /// the tag to close.
    pub(super) fn open_link(&mut self, class: &'static str, address: &str) -> &'static str {
        if has_http_scheme(address) {
            let attributes =
                [("href", address), ("title", address), ("rel", "noopener noreferrer nofollow"), ("target", "_blank")];
            self.open_with("a", class, &attributes);
            "a"
        } else {
            self.open_with("span", class, &[("title", address)]);
            "span"
        }
    }

    /// A link with a text in it.
    pub(super) fn link(&mut self, class: &'static str, address: &str, text: &str) -> &mut Self {
        let tag = self.open_link(class, address);
        self.text(text).close(tag)
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_attributes_are_escaped() {
        let mut html = Html::default();
        html.open_with("p", "x", &[("title", "\"'><script>")]).text("<b>&amp;\0\u{1b}\n</b>").close("p");
        let expected =
            "<p class=\"x\" title=\"&quot;&#39;&gt;&lt;script&gt;\">&lt;b&gt;&amp;amp;\u{fffd}\u{fffd}\n&lt;/b&gt;</p>";
        assert_eq!(html.into_text(), expected);
    }

    #[test]
    fn only_web_addresses_become_links() {
        let link = |address: &str| {
            let mut html = Html::default();
            html.link("", address, "x");
            html.into_text()
        };
        assert!(link("https://a.example/?a=1&b=\"").starts_with("<a href=\"https://a.example/?a=1&amp;b=&quot;\""));
        for address in [
            "javascript:alert(1)",
            " javascript:x",
            "java\nscript:x",
            "data:text/html,x",
            "//a",
            " http://a",
            "vbscript://http://x",
        ] {
            assert!(link(address).starts_with("<span "), "{address}");
        }
    }
}
