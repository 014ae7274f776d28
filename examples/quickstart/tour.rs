//! The messages of the tour: what is sent, and what must arrive.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::fake::{Arrived, FakeWecom, Route};
use crate::program::Program;

/// Text that breaks scripts which paste it into JSON by hand.
const AWKWARD: &str =
    "磁盘告警: \"/data\" at 98 %\n\\ $(hostname) `date` {\"a\": 'b'}\ttab, emoji 🚨, and <no> *markup*";

const MARKDOWN: &str = "**磁盘告警** `web-3`\n> usage: <font color=\"warning\">98 %</font>";

/// An aibot's markdown has tables and no colours.
const TABLE: &str = "# 磁盘告警\n\n| host | usage |\n| :--- | ---: |\n| web-3 | 98 % |";

/// A picture of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const REPORT: &str = "host,mount,used\nweb-3,/data,98%\n";

/// Which command sends.
#[derive(Clone, Copy)]
pub(crate) enum Command {
    App,
    Webhook,
    Aibot,
}

/// What a message is made of.
#[derive(Clone, Copy)]
pub(crate) enum Material {
    PipedText,
    Markdown,
    Picture,
    File,
    Card,
}

/// One message of the tour.
pub(crate) struct Step {
    command: Command,
    material: Material,
}

/// Every material by app and webhook; by the aibot those that arrive as they are given: it has no plain text.
pub(crate) fn steps() -> Vec<Step> {
    let materials = [Material::PipedText, Material::Markdown, Material::Picture, Material::File, Material::Card];
    let both = |material| [Command::App, Command::Webhook].map(|command| Step { command, material });
    let by_aibot = [Material::Markdown, Material::Picture, Material::File, Material::Card];
    let by_aibot = by_aibot.map(|material| Step { command: Command::Aibot, material });
    materials.into_iter().flat_map(both).chain(by_aibot).collect()
}

/// Sends the message with the real binary and looks whether just that arrived.
pub(crate) fn take(step: &Step, program: &Program, wecom: &FakeWecom) -> Result<(), String> {
    let before = wecom.messages().len();
    let mut arguments = match step.command {
        Command::App => vec!["app-send", "--to-user", "zhangsan"],
        Command::Webhook => vec!["webhook-send"],
        Command::Aibot => vec!["aibot-send", "--to-user", "zhangsan"],
    };
    let mut input = None;
    match step.material {
        Material::PipedText => input = Some(AWKWARD),
        Material::Markdown => arguments.extend(["-t", "markdown", markdown(step.command)]),
        Material::Picture => {
            program.file("usage.png", &picture()?)?;
            arguments.extend(["--image", "usage.png"]);
        }
        Material::File => {
            program.file("磁盘报告.csv", REPORT.as_bytes())?;
            arguments.extend(["--file", "磁盘报告.csv"]);
        }
        Material::Card => {
            program.file("card.json", card(step.command).to_string().as_bytes())?;
            arguments.extend(["-t", "template_card", "--payload", "card.json"]);
        }
    }
    show_command(&arguments, input);
    let output = program.run(&arguments, input)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("the program ended with {}: {said}", output.status));
    }
    let arrived = wecom.messages().split_off(before);
    let [message] = arrived.as_slice() else {
        return Err(format!("{} messages arrived where one was sent", arrived.len()));
    };
    show_arrival(message);
    check(step, message, wecom)
}

fn check(step: &Step, message: &Arrived, wecom: &FakeWecom) -> Result<(), String> {
    let payload = message.payload();
    let uploaded = wecom.uploads().pop();
    let by_upload = |bytes: &[u8]| {
        uploaded.as_ref().is_some_and(|file| file.bytes == bytes && payload["media_id"] == file.media_id.as_str())
    };
    let intact = match (step.material, step.command) {
        (Material::PipedText, _) => payload["content"] == AWKWARD,
        (Material::Markdown, command) => payload["content"] == markdown(command),
        (Material::Picture, Command::App | Command::Aibot) => by_upload(&picture()?),
        (Material::Picture, Command::Webhook) => payload["base64"] == PNG,
        (Material::File, _) => {
            let named = uploaded.as_ref().is_some_and(|file| file.filename == "磁盘报告.csv".as_bytes());
            by_upload(REPORT.as_bytes()) && named
        }
        (Material::Card, command) => *payload == card(command),
    };
    if intact { Ok(()) } else { Err(format!("what arrived is not what was sent: {}", message.body)) }
}

fn markdown(command: Command) -> &'static str {
    if let Command::Aibot = command { TABLE } else { MARKDOWN }
}

fn picture() -> Result<Vec<u8>, String> {
    STANDARD.decode(PNG).map_err(|error| format!("the picture is broken: {error}"))
}

/// A notice card; not the webhook's can offer a menu, which asks for a task_id.
fn card(command: Command) -> Value {
    let mut card = json!({
        "card_type": "text_notice",
        "source": { "desc": "monitor", "desc_color": 2 },
        "main_title": { "title": "Disk almost full", "desc": "web-3" },
        "emphasis_content": { "title": "98 %", "desc": "/data" },
        "horizontal_content_list": [{ "keyname": "since", "value": "03:12" }],
        "card_action": { "type": 1, "url": "https://example.com/alerts/1" },
    });
    if let Command::App | Command::Aibot = command {
        card["task_id"] = json!("disk-web-3_1");
        card["action_menu"] = json!({ "desc": "more", "action_list": [{ "text": "Silence 2 h", "key": "silence" }] });
    }
    card
}

pub(crate) fn show_command(arguments: &[&str], input: Option<&str>) {
    let quoted: Vec<String> = arguments
        .iter()
        .map(|argument| {
            let plain = argument.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c));
            if plain { (*argument).to_owned() } else { format!("'{}'", argument.replace('\n', "⏎")) }
        })
        .collect();
    let pipe = if input.is_some() { "some-command | " } else { "" };
    println!("\n$ {pipe}wecom-alert {}", quoted.join(" "));
}

fn show_arrival(message: &Arrived) {
    let way = match &message.route {
        Route::App { agent_id } => format!("app {agent_id} to {}", message.users.join(", ")),
        Route::Webhook { .. } => "the webhook to its group".to_owned(),
        Route::Chat { id } => format!("chat {id}"),
        Route::Aibot { chat, .. } => format!("the aibot to {chat}"),
    };
    println!("  arrived: {} through {way}", message.msgtype);
    let payload = message.payload();
    let text = match payload["content"].as_str() {
        Some(text) => text.to_owned(),
        None => payload.to_string(),
    };
    for line in text.lines() {
        let shown: String = line.chars().take(100).collect();
        println!("  | {shown}{}", if shown.len() < line.len() { "…" } else { "" });
    }
}
