//! Hostile messages: nothing of them becomes a part of the page, and a browser runs nothing of it.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use wecom_alert::channel::Channel;
use wecom_alert::preview::{MessageFile, bubble};

use super::scan::assert_harmless;
use crate::support::{TestEnv, needs};

/// What runs where it is not escaped: each says so in the title of the page.
fn inputs() -> Vec<String> {
    const RUN: &str = "document.title='ran'";
    let templates = [
        "<script>RUN</script>",
        "</script><script>RUN</script>",
        "<SCRIPT>RUN</SCRIPT>",
        "<img src=x onerror=RUN>",
        "<svg onload=RUN>",
        "<svg/onload=RUN>",
        "<body onload=RUN>",
        "<iframe srcdoc='<script>parent.RUN</script>'>",
        "<iframe src=javascript:RUN>",
        "\"><script>RUN</script>",
        "'><script>RUN</script>",
        "\" onmouseover=\"RUN",
        "' onfocus='RUN' autofocus='",
        "</style><script>RUN</script>",
        "</title><script>RUN</script>",
        "--><script>RUN</script>",
        "]]><script>RUN</script>",
        "</pre><script>RUN</script>",
        "</code></pre><img src=x onerror=RUN>",
        "<a href=\"javascript:RUN\">x</a>",
        "<a href='javascript:RUN'>x</a>",
        "<a href=\"jAvAsCrIpT:RUN\">x</a>",
        "<a href=\"java\nscript:RUN\">x</a>",
        "<a href=\" javascript:RUN\">x</a>",
        "<a href=\"data:text/html,<script>RUN</script>\">x</a>",
        "<a href=\"vbscript:RUN\">x</a>",
        "<a href=\"https://a.b/\" onclick=\"RUN\">x</a>",
        "<a href=\"https://a.b/&quot; onclick=&quot;RUN\">x</a>",
        "[x](javascript:RUN)",
        "[x](JAVASCRIPT:RUN)",
        "[x](java&#115;cript:RUN)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](https://a.b/\"onmouseover=\"RUN)",
        "[x](https://a.b/'><script>RUN</script>)",
        "[x](<javascript:RUN>)",
        "[<script>RUN</script>](https://a.b)",
        "![x](javascript:RUN)",
        "![x](https://a.b/x.png\"onerror=\"RUN)",
        "![\"onerror=\"RUN](https://a.b)",
        "![x](data:image/svg+xml,<svg onload=RUN>)",
        "<javascript:RUN>",
        "<https://a.b/\"><script>RUN</script>",
        "```\n</code></pre><script>RUN</script>\n```",
        "```\"><script>RUN</script>\nx\n```",
        "`<script>RUN</script>`",
        "| <script>RUN</script> | b |\n| - | - |\n| <img src=x onerror=RUN> | d |",
        "> <script>RUN</script>",
        "# <script>RUN</script>",
        "<font color=\"warning\"><script>RUN</script></font>",
        "<font color=\"x\" onmouseover=\"RUN\">y</font>",
        "<font color='\"><script>RUN</script>'>y</font>",
        "<@lisi\"><script>RUN</script>>",
        "<@<script>RUN</script>>",
        "<div class=\"gray\"><script>RUN</script></div>",
        "<div class=\"gray\" onclick=\"RUN\">x</div>",
        "<br onload=RUN>",
        "&lt;script&gt;RUN&lt;/script&gt;",
        "&#60;script&#62;RUN&#60;/script&#62;",
        "&#x3c;script>RUN",
        "&amp;lt;script&amp;gt;",
        "&",
        "&&&amp",
        "&#",
        "&#x",
        "&nosuch;",
        "&lt",
        "<",
        ">",
        "<<<<>>>>",
        "<!--",
        "<![CDATA[",
        "<?xml",
        "</",
        "<a",
        "<a href=",
        "<a href=\"",
        "\u{202e}<script>RUN</script>",
        "\u{202e}evil\u{2066}\u{2069}",
        "\u{feff}\u{200b}<script>RUN</script>",
        "\u{0}<script>RUN</script>",
        "<scr\u{0}ipt>RUN</script>",
        "\u{1b}[31m<script>RUN",
        "\u{85}\u{2028}\u{2029}<script>RUN",
        "<meta http-equiv=refresh content=\"0;url=javascript:RUN\">",
        "<base href=\"javascript:RUN//\">",
        "<link rel=stylesheet href=\"data:text/css,x\">",
        "<style>*{x:expression(RUN)}</style>",
        "<object data=\"javascript:RUN\">",
        "<embed src=\"javascript:RUN\">",
        "<form action=\"javascript:RUN\"><button>x",
        "<button formaction=\"javascript:RUN\">x",
        "<input autofocus onfocus=RUN>",
        "<details open ontoggle=RUN>",
        "<video><source onerror=RUN>",
        "<math href=\"javascript:RUN\">x",
        "<template><script>RUN</script></template>",
        "<textarea><script>RUN</script>",
        "<xmp><script>RUN</script>",
        "<plaintext>",
        "<noscript><p title=\"</noscript><img src=x onerror=RUN>\">",
        "https://a.b/\"onmouseover=\"RUN",
        "https://a.b/'><script>RUN</script>",
    ];
    let deep = ["**", "> ", "<font color=\"info\">", "[", "`", "<div class=\"gray\">"].map(|sign| sign.repeat(400));
    templates.iter().map(|template| template.replace("RUN", RUN)).chain(deep).collect()
}

/// Bodies of every type and channel with this in every place.
fn bodies(input: &str) -> Vec<(Channel, Value)> {
    let link = |kind: i64| json!({ "type": kind, "title": input, "desc": input, "url": input, "appid": input, "quote_text": input });
    let options =
        json!([{ "id": input, "text": input, "is_checked": true }, { "id": "b", "text": "b", "is_checked": false }]);
    let select = json!({ "question_key": input, "title": input, "option_list": options, "selected_id": input });
    let mut area = link(1);
    area["image_url"] = input.into();
    let card = json!({
        "card_type": input, "task_id": input,
        "source": { "icon_url": input, "desc": input, "desc_color": 2 },
        "action_menu": { "desc": input, "action_list": [{ "text": input, "key": input }] },
        "main_title": { "title": input, "desc": input },
        "quote_area": link(1), "emphasis_content": { "title": input, "desc": input }, "sub_title_text": input,
        "image_text_area": area, "card_image": { "url": input },
        "vertical_content_list": [{ "title": input, "desc": input }],
        "horizontal_content_list": [{ "keyname": input, "value": input }, { "type": 1, "keyname": input, "value": input, "url": input },
            { "type": 3, "keyname": input, "value": input, "userid": input }],
        "jump_list": [{ "type": 1, "title": input, "url": input }, { "type": 3, "title": input, "question": input }],
        "card_action": { "type": 1, "url": input }, "button_selection": select, "select_list": [select],
        "button_list": [{ "text": input, "key": input }, { "type": 1, "text": input, "url": input }],
        "checkbox": { "question_key": input, "mode": 1, "option_list": options },
        "submit_button": { "text": input, "key": input },
    });
    let article = json!({ "title": input, "description": input, "url": input, "picurl": input });
    let contents = [
        ("text", json!({ "content": input, "mentioned_list": [input], "mentioned_mobile_list": [input] })),
        ("markdown", json!({ "content": input })),
        ("markdown_v2", json!({ "content": input })),
        ("textcard", json!({ "title": input, "description": input, "url": input, "btntxt": input })),
        ("news", json!({ "articles": [article] })),
        ("news", json!({ "articles": [article, article] })),
        (
            "mpnews",
            json!({ "articles": [{ "title": input, "thumb_media_id": input, "author": input, "content_source_url": input,
            "content": input, "digest": input }] }),
        ),
        (
            "miniprogram_notice",
            json!({ "appid": input, "page": input, "title": input, "description": input,
            "emphasis_first_item": true, "content_item": [{ "key": input, "value": input }] }),
        ),
        ("template_card", card),
        ("image", json!({ "base64": input, "md5": input })),
        ("file", json!({ "media_id": input })),
        ("video", json!({ "media_id": input, "title": input, "description": input })),
        (input, json!({ input: input })),
    ];
    let channels = Channel::ALL.iter().copied();
    let body = |msgtype: &str, content: &Value| json!({ "msgtype": msgtype, msgtype: content, "touser": input, "chatid": input, input: 1 });
    channels
        .flat_map(|channel| contents.iter().map(move |(msgtype, content)| (channel, body(msgtype, content))))
        .collect()
}

#[test]
fn nothing_of_a_message_becomes_a_part_of_the_page() {
    let inputs = inputs();
    assert!(inputs.len() >= 100, "{}", inputs.len());
    for input in &inputs {
        let file =
            MessageFile { media_id: input.clone(), name: input.clone(), size: 7, picture: Some(input.clone().into()) };
        for (channel, body) in bodies(input) {
            let html = bubble(channel, &body, std::slice::from_ref(&file));
            assert_harmless(&html, &format!("{channel} {body}"));
        }
    }
}

#[test]
fn a_huge_message_is_no_huge_page() {
    let env = TestEnv::new();
    let huge = "<b>[x](javascript:y) **磁**`\n".repeat(40_000);
    for msgtype in ["text", "markdown", "markdown_v2"] {
        let payload = json!({ "msgtype": msgtype, msgtype: { "content": huge } });
        let html = bubble(Channel::Webhook, &payload, &[]);
        assert!(html.len() < 600_000, "{}", html.len());
        assert_harmless(&html, msgtype);
    }
    let page = env.cmd(["preview", "--route", "webhook"]).stdin(huge).run().assert_code(0).stdout;
    assert_harmless(&page, "parts");
}

/// All hostile inputs on one page, made by the program; a browser opens it and would show in its title what ran.
#[test]
fn a_browser_runs_nothing_of_a_message() {
    if !needs("chromium") {
        return;
    }
    let env = TestEnv::new();
    let all: Vec<String> =
        inputs().iter().map(|input| input.replace(|c: char| c.is_control() && c != '\n', "")).collect();
    let text = all.join("\n");
    let mut pages = Vec::new();
    for (name, body) in [
        ("text", json!({ "msgtype": "text", "text": { "content": text } })),
        ("markdown", json!({ "msgtype": "markdown", "markdown": { "content": text } })),
        ("markdown_v2", json!({ "msgtype": "markdown_v2", "markdown_v2": { "content": text } })),
        (
            "news",
            json!({ "msgtype": "news", "news": { "articles": all.iter().map(|input| json!({ "title": input, "description": input,
            "url": input, "picurl": input })).collect::<Vec<_>>() } }),
        ),
    ] {
        let payload = env.file(format!("{name}.json"), body.to_string());
        let page = env.home().join(format!("{name}.html"));
        let cmd = env.cmd(["preview", "--route", "webhook", "--payload"]).arg(payload).arg("--to-file").arg(&page);
        cmd.run().assert_code(0);
        pages.push(page);
    }
    let script = "<!DOCTYPE html><title>Preview</title><script>document.title='ran'</script>";
    let control = env.file("control.html", script);
    assert!(dump(&env, &control).contains("<title>ran</title>"), "the browser would not tell");
    for page in pages {
        let dom = dump(&env, &page);
        assert!(
            dom.contains("<title>Preview of a WeCom message</title>"),
            "{}: {}",
            page.display(),
            &dom[..2000.min(dom.len())]
        );
        assert!(!dom.contains("<script"), "{}", page.display());
        assert!(dom.contains("</main>"), "{}", page.display());
    }
}

/// The document as a browser has it once all is loaded.
fn dump(env: &TestEnv, page: &std::path::Path) -> String {
    let profile = tempfile::tempdir_in(env.home()).unwrap();
    let mut browser = Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    browser.args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--dump-dom"]);
    browser.arg(format!("--user-data-dir={}", profile.path().display())).arg(format!("file://{}", page.display()));
    let told = browser.env("HOME", env.home()).stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&told.stdout).into_owned()
}
