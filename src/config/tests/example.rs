//! `config.example.toml` holds every key, and loads.

use super::*;

const EXAMPLE: &str = include_str!("../../../config.example.toml");

/// The key of a line that sets one, or would without its `#`; prose comes after `# `.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.strip_prefix('#').unwrap_or(line).split_once(" = ")?;
    (!key.contains(' ')).then_some(key)
}

#[test]
fn loads_without_a_warning() {
    let settings = settings_of(EXAMPLE);
    assert_eq!(settings.profile.unwrap(), "ops");
    assert_eq!(settings.to.unwrap().to_user, ["zhangsan"]);
}

#[test]
fn has_every_key_once() {
    let mut listed: Vec<_> = EXAMPLE.lines().filter_map(key_of).filter(|key| *key != "default_profile").collect();
    let mut known: Vec<_> = Setting::keys().collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(listed, known);
}

#[test]
fn every_key_that_is_commented_out_loads_in_its_place() {
    let lines: Vec<_> = EXAMPLE.lines().collect();
    let mut tried = 0;
    for (index, line) in lines.iter().enumerate() {
        let Some(bare) = line.strip_prefix('#').filter(|_| key_of(line).is_some()) else { continue };
        let key = key_of(line).unwrap();
        let mut edited = lines.clone();
        edited[index] = bare;
        // A key that needs another one.
        if key == "cooldown_key" {
            edited.insert(0, "cooldown = \"10m\"");
        }
        // The forms of one value exclude each other.
        for forms in crate::config::groups::FORMS.iter().filter(|forms| forms.iter().any(|form| form.name() == key)) {
            edited.retain(|other| {
                *other == bare || !forms.iter().any(|form| other.starts_with(&format!("{} = ", form.name())))
            });
        }
        let name =
            if index > lines.iter().position(|line| *line == "[profiles.room]").unwrap() { "room" } else { "ops" };
        let overrides = Overrides::default().set(Setting::Profile, name).set(Setting::DryRun, RawValue::Flag(true));
        let home = Home::with(&edited.join("\n"));
        home.settings(&overrides, &[]);
        tried += 1;
    }
    assert!(tried >= 15, "{tried}");
}

#[test]
fn a_key_with_a_value_shows_the_default() {
    let none = Overrides::default();
    let home = Home::with(EXAMPLE.split("[profiles.ops]").next().unwrap().replace("default_profile", "#").as_str());
    let with_example = home.settings(&none, &[]);
    let with_example = Settings { searched: Vec::new(), language_is_set: false, ..with_example };
    let home_path = home.0.path().to_owned();
    std::fs::remove_file(home.config()).unwrap();
    let without = Settings { searched: Vec::new(), ..home.settings(&none, &[]) };
    let shown = |settings: &Settings| format!("{settings:#?}").replace(home_path.to_str().unwrap(), "HOME");
    let expected = shown(&without).replace(
        "config_file: None",
        &format!("config_file: {:#?}", with_example.config_file)
            .replace('\n', "\n    ")
            .replace(home_path.to_str().unwrap(), "HOME"),
    );
    assert_eq!(shown(&with_example), expected);
}

#[test]
fn key_option_and_variable_of_a_setting_have_one_name() {
    for setting in Setting::ALL {
        let row = setting.row();
        assert!(row.variable.is_none_or(|variable| variable.ends_with(&setting.name().to_uppercase())), "{setting:?}");
        // aibot-send names its recipients by the options of the other commands.
        let name = match setting {
            Setting::AibotUser => Setting::ToUser.name(),
            Setting::AibotChat => Setting::Chat.name(),
            other => other.name(),
        };
        assert!(row.option.is_empty() || row.option[2..].replace('-', "_") == name, "{setting:?}");
    }
}
