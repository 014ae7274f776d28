//! No text makes the parser panic, and no error shows a credential that is in the file.

use proptest::prelude::*;

use super::*;

const PLANTED: &str = "PLANTED-test-credential-0123456789";

/// Pieces from which files are put together; the credential is in every place but a profile's name.
fn piece() -> impl Strategy<Value = String> {
    let keys: Vec<_> = Setting::keys().map(str::to_owned).collect();
    let values = [
        "\"{}\"",
        "'{}'",
        "[\"{}\"]",
        "{}",
        "\"{}",
        "'''{}",
        "\"\"\"\n{}\n",
        "\"${}\"",
        "{ x = \"{}\" }",
        "\"https://u:{}@h\"",
        "\"https://h/{}?key={}\"",
        "[1, \"{}\"",
        "\"\\{}\"",
        "1{}",
        "{}.x",
        "\"{}\" {}",
        "\"key={}\"",
        "\"socks9://{}\"",
        "\"{}m\"",
        "\"{}s\"",
        "\"1{}\"",
        "\"\\u0000{}\"",
    ];
    let values = values.map(|value| value.replace("{}", PLANTED));
    let value = || prop::sample::select(values.to_vec());
    prop_oneof![
        4 => (prop::sample::select(keys), value())
            .prop_filter("paths and programs are no credentials", |(key, value)| !names_a_path_or_program(key, value))
            .prop_map(|(key, value)| format!("{key} = {value}\n")),
        1 => value().prop_map(|value| format!("{value} = 1\n")),
        1 => value().prop_map(|value| format!("default_profile = {value}\n")),
        1 => value().prop_map(|value| format!("[{value}]\n")),
        1 => value(),
        1 => prop::sample::select(vec!["[profiles.a]\n", "[profiles]\n", "[[profiles]]\n", "=", "\n", "#", "]", "\u{feff}"])
            .prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ]
}

fn names_a_path_or_program(key: &str, value: &str) -> bool {
    (key.ends_with("_file") && value.contains("/1m")) || (key.ends_with("_command") && value.starts_with('['))
}

#[test]
fn a_credential_as_a_profile_is_not_shown() {
    for file in ["[profiles]\n{}.x = 1\n", "[profiles.{}]\nx = 1\n", "[profiles.{}]\nretries = 'x'\n"] {
        let error = Home::with(&file.replace("{}", PLANTED)).error(&Overrides::default(), &[]);
        assert!(!format!("{error:?}{error}").contains(PLANTED), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn errors_show_no_value(pieces in prop::collection::vec(piece(), 0..6)) {
        let home = Home::with(&pieces.concat());
        match home.resolve(&Overrides::default(), &[]) {
            Ok((settings, warnings)) => {
                prop_assert!(warnings.iter().all(|warning| !warning.contains(PLANTED)), "{warnings:?}");
                let shown = format!("{:?}{:?}", settings.secret_sources().collect::<Vec<_>>(), settings.proxy);
                prop_assert!(!shown.contains(PLANTED), "{shown}");
            }
            Err(error) => {
                let shown = format!("{error:?}{error}");
                prop_assert!(!shown.contains(PLANTED), "{shown}");
                prop_assert!(!error.message().contains('\n'), "{error}");
            }
        }
    }

    #[test]
    fn a_webhooks_error_shows_nothing_of_it(before in "\\PC{0,12}", after in "\\PC{0,12}") {
        let text = crate::secret::Secret::new(format!("{before}{PLANTED}{after}"));
        if let Err(error) = crate::config::Webhook::parse(&text, "ORIGIN") {
            prop_assert!(!format!("{error:?}").contains(PLANTED), "{error:?}");
        }
    }

    #[test]
    fn a_base_urls_error_shows_nothing_of_it(text in "(https?|ftp)?(://)?\\PC{0,20}") {
        if let Err(error) = crate::config::BaseUrl::parse(&format!("{text}{PLANTED}")) {
            prop_assert!(!format!("{error:?}").contains(PLANTED), "{error:?}");
        }
    }
}
