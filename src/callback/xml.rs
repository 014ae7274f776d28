//! The XML of callbacks: elements, text, CDATA and the five entities that every XML has. No declarations and no entities of
//! one's own, which are how XML is made to read files or to grow: a document with a DOCTYPE is refused.

/// The most elements of a document; WeCom's have about 30.
const MOST_ELEMENTS: usize = 2_000;

/// How deep elements may be inside each other; WeCom's are four deep.
const DEEPEST: usize = 16;

/// An element. Attributes are not read: callbacks have none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    content: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document: its root; else what is wrong with it.
    pub(super) fn parse(document: &str) -> Result<Self, &'static str> {
        const CUT: &str = "it is not XML, or cut off";
        let mut open: Vec<Self> = Vec::new();
        let mut elements = 0;
        let mut rest = document;
        loop {
            let (text, markup) = rest.split_once('<').ok_or(CUT)?;
            match open.last_mut() {
                Some(element) => element.content.push_str(&unescaped(text)?),
                None if text.trim().is_empty() => {}
                None => return Err(CUT),
            }
            if let Some(data) = markup.strip_prefix("![CDATA[") {
                let (data, behind) = data.split_once("]]>").ok_or(CUT)?;
                open.last_mut().ok_or(CUT)?.content.push_str(data);
                rest = behind;
            } else if let Some(comment) = markup.strip_prefix("!--") {
                rest = comment.split_once("-->").ok_or(CUT)?.1;
            } else if let Some(instruction) = markup.strip_prefix('?') {
                rest = instruction.split_once("?>").ok_or(CUT)?.1;
            } else if markup.starts_with('!') {
                return Err("it has a DOCTYPE");
            } else {
                let (tag, behind) = markup.split_once('>').ok_or(CUT)?;
                rest = behind;
                let (name, is_opened, is_closed) = match tag.strip_prefix('/') {
                    Some(name) => (name.trim_end(), false, true),
                    None => {
                        (tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default(), true, tag.ends_with('/'))
                    }
                };
                if is_opened {
                    elements += 1;
                    if name.is_empty() || elements > MOST_ELEMENTS || open.len() >= DEEPEST {
                        return Err("it has too many elements, or one without a name");
                    }
                    open.push(Self { name: name.to_owned(), content: String::new(), children: Vec::new() });
                }
                if is_closed {
                    let closed = open.pop().filter(|element| element.name == name).ok_or(CUT)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(closed),
                        None => return Ok(closed),
                    }
                }
            }
        }
    }

    /// The elements of that name directly in this one, in upper or lower case: pages and servers differ in `AgentID`.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name.eq_ignore_ascii_case(name))
    }

    /// The text of the first element of that name that has any.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).map(Self::own_text).find(|text| !text.is_empty())
    }

    /// The text that is directly in it.
    pub(super) fn own_text(&self) -> &str {
        self.content.trim()
    }
}

/// Text with the characters that its entities stand for.
fn unescaped(text: &str) -> Result<String, &'static str> {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        let (entity, behind) = entity.split_once(';').ok_or("it has an entity that does not end")?;
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let character = match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match entity.strip_prefix('#') {
                Some(digits) => {
                    digits.strip_prefix(['x', 'X']).map_or_else(|| number(digits, 10), |hex| number(hex, 16))
                }
                None => None,
            },
        };
        read.push_str(before);
        read.push(character.ok_or("it has an entity of its own")?);
        rest = behind;
    }
    read.push_str(rest);
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_text_cdata_and_the_usual_entities() {
        let document = "\n<?xml version=\"1.0\"?><!-- < --><xml a='1'>\n<Name> a&lt;&#20013;&#x4e2d; </Name ><name><![CDATA[<b>&amp;]] ]]></name><Empty/>\n</xml> behind";
        let root = Element::parse(document).unwrap();
        assert_eq!(root.all("NAME").map(Element::own_text).collect::<Vec<_>>(), ["a<中中", "<b>&amp;]]"]);
        assert_eq!((root.text("name"), root.text("Empty"), root.text("xml")), (Some("a<中中"), None, None));
    }

    #[test]
    fn refuses_what_callbacks_do_not_have() {
        let entity = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>";
        assert_eq!(Element::parse(entity), Err("it has a DOCTYPE"));
        assert_eq!(Element::parse("<x>&a;</x>"), Err("it has an entity of its own"));
        assert_eq!(Element::parse("<x>&#x110000;</x>"), Err("it has an entity of its own"));
        for broken in
            ["", "x", "<", "<x>", "<x></y>", "</x>", "<x><![CDATA[</x>", "<x>&lt</x>", "<x><y></x></y>", "<>", "x<x/>"]
        {
            assert!(Element::parse(broken).is_err(), "{broken}");
        }
        assert!(Element::parse(&format!("<x>{}</x>", "<y/>".repeat(MOST_ELEMENTS - 1))).is_ok());
        assert!(Element::parse(&format!("<x>{}</x>", "<y/>".repeat(MOST_ELEMENTS))).is_err());
        assert!(Element::parse(&format!("{}{}", "<x>".repeat(DEEPEST), "</x>".repeat(DEEPEST))).is_ok());
        assert!(Element::parse(&"<x>".repeat(DEEPEST + 1)).is_err());
    }
}
