//! An alert as `news` of one article (document paths 90236 and 99110). It has no markup: nothing is escaped.

use super::room::{bytes, clip, pour};
use super::{Alert, Fitted};
use crate::channel::DESCRIPTION_BYTES;
use crate::error::{Error, Result};
use crate::message::app::{AppArticle, AppNews};
use crate::message::webhook::{WebhookArticle, WebhookNews};

const TITLE_BYTES: usize = 128;

/// What the article of either channel has.
struct Article {
    title: String,
    description: Option<String>,
    url: String,
    picurl: Option<String>,
}

impl Alert {
    /// As `news` of an app. The whole title leads the description if its own place is too short for it.
    ///
    /// # Errors
    ///
    /// Usage: no link, or no title.
    pub fn app_news(&self) -> Result<Fitted<AppNews>> {
        let Fitted { content: Article { title, description, url, picurl }, rest } = self.article()?;
        let article = AppArticle { title, description, url: Some(url), picurl, ..AppArticle::default() };
        Ok(Fitted { content: AppNews { articles: vec![article] }, rest })
    }

    /// As `news` of a webhook. The whole title leads the description if its own place is too short for it.
    ///
    /// # Errors
    ///
    /// Usage: no link, or no title.
    pub fn webhook_news(&self) -> Result<Fitted<WebhookNews>> {
        let Fitted { content: Article { title, description, url, picurl }, rest } = self.article()?;
        let article = WebhookArticle { title, description, url, picurl };
        Ok(Fitted { content: WebhookNews { articles: vec![article] }, rest })
    }

    /// The whole text below the title of an article, however long it is.
    pub fn description(&self) -> String {
        self.article_lines().join("\n")
    }

    fn article_lines(&self) -> Vec<String> {
        let mut lines = self.lines_below(TITLE_BYTES);
        // An article has no button: what the link is called is a line above it.
        lines.extend(self.link_label());
        lines
    }

    fn article(&self) -> Result<Fitted<Article>> {
        let (Some(link), Some(title)) = (&self.link, self.full_title()) else {
            let (missing, option) = if self.link.is_none() { ("link", "--url") } else { ("title", "--title") };
            let hint = format!("add {option}, or send it with -t markdown");
            return Err(Error::usage(format!("an article needs a {missing}"), hint));
        };
        let lines = self.article_lines();
        // The last line has no line break behind it.
        let (taken, rest) = pour(&lines, DESCRIPTION_BYTES + 1, |line| line.len() + 1);
        let description = Some(taken.join("\n")).filter(|text| !text.is_empty());
        let title = clip(&title, TITLE_BYTES, bytes);
        Ok(Fitted { content: Article { title, description, url: link.url.clone(), picurl: self.picurl.clone() }, rest })
    }
}
