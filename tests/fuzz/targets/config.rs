//! Config files, read and resolved.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use wecom_alert::config::{Config, Environment, Lenience, Overrides, RawValue, Setting};
use wecom_alert::sanitize::one_line;

/// A credential in front of the input; no message may show it.
const SECRET: &str = "fuzz-s3cret-0123456789";

/// One file for each process, so that several may run at once.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("wecom-alert-fuzz-{}.toml", std::process::id())));

fuzz_target!(|input: &[u8]| {
    let settings = [format!("secret = \"{SECRET}\"\n").as_bytes(), input].concat();
    std::fs::write(&*FILE, settings).expect("the folder for temporary files can be written");
    let options = Overrides::default().set(Setting::Config, RawValue::Path(FILE.clone()));
    let env = Environment::from_pairs([("HOME", "/nonexistent")]).with_system_config("/nonexistent/config.toml");
    for options in [options.clone(), options.set(Setting::Profile, "ops")] {
        let messages = match Config::read(&options, &env, Lenience::Strict).and_then(|config| config.resolve()) {
            Ok((_, warnings)) => warnings,
            Err(error) => vec![error.message().to_owned(), error.hint().unwrap_or_default().to_owned()],
        };
        for message in messages {
            assert!(!message.contains(SECRET), "{message:?} shows a credential");
            assert!(message.len() < 4096, "{} bytes: {message:?}", message.len());
            assert_eq!(one_line(&message), message);
        }
    }
});
