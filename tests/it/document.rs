//! What a call's JSON document says, held against what it should say.

use serde_json::Value;

use crate::results::document;
use crate::support::Run;

/// Fails unless the process ended with `code` and its one document has these fields with these values. Returns the
/// document.
pub(crate) fn assert_document(run: &Run, case: &str, code: i32, expected: &Value) -> Value {
    // Whatever else is expected, the promises that hold for every document must hold.
    let document = document(run);
    assert_eq!(run.code, Some(code), "{case}: exit code\n{}", run.all());
    assert_eq!(document["exit_code"], code, "{case}: exit_code\n{}", run.all());
    assert_eq!(document["ok"], code == 0, "{case}: ok\n{}", run.all());
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(document.get(field), Some(value), "{case}: {field}\n{}", run.all());
    }
    document
}

/// Fails unless the field is text that holds each of the parts.
pub(crate) fn assert_says(document: &Value, case: &str, field: &str, parts: &[&str]) {
    let text = document[field].as_str().unwrap_or_else(|| panic!("{case}: {field} is no text: {document:#}"));
    for part in parts {
        assert!(text.contains(part), "{case}: {field} does not say {part:?}: {text}");
    }
}

/// The warnings, as one text each.
pub(crate) fn warnings(document: &Value) -> Vec<&str> {
    document["warnings"].as_array().unwrap().iter().map(|warning| warning.as_str().unwrap()).collect()
}
