//! Templates: what is shown, what is escaped, and what is refused.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Escaping, FILTERS, MAX_OUTPUT, MAX_SOURCE};
use crate::channel::Markup;
use crate::error::{Error, Result, Status};

const TEXT: Escaping = Escaping::Text(Markup::Plain);
const MARKDOWN: Escaping = Escaping::Text(Markup::Markdown);
const MARKDOWN_V2: Escaping = Escaping::Text(Markup::MarkdownV2);
const ALL: [Escaping; 4] = [TEXT, MARKDOWN, MARKDOWN_V2, Escaping::Json];

fn render(name: &str, source: &str, data: &Value, escaping: Escaping) -> Result<String> {
    let zone = |at: DateTime<FixedOffset>| at.with_timezone(&FixedOffset::east_opt(8 * 3600).unwrap());
    super::render(name, source, data, escaping, zone, Duration::from_secs(90))
}

fn text(source: &str, data: &Value) -> String {
    render("alert.j2", source, data, TEXT).unwrap()
}

fn to(target: Escaping, source: &str, data: &Value) -> String {
    render("alert.j2", source, data, target).unwrap()
}

fn refusal(source: &str, data: &Value) -> Error {
    let error = render("alert.j2", source, data, TEXT).unwrap_err();
    assert_eq!(error.status(), Status::Usage, "{error}");
    assert!(error.hint().is_some() && !error.message().contains('\n'), "{error}");
    error
}

#[test]
fn data_is_at_the_top_in_its_order() {
    let data = json!({"z": {"b": 1, "a": 2.0}, "list": ["x", "y"], "on": true, "none": null, "big": u64::MAX});
    assert_eq!(text("{{ z.b }} {{ z['a'] }} {{ list[1] }} {{ on }} {{ none }}", &data), "1 2.0 y true null");
    assert_eq!(
        text("{% for key in z %}{{ key }}{% endfor %} {{ z }} {{ big }}", &data),
        format!("ba {{\"b\":1,\"a\":2.0}} {}", u64::MAX)
    );
    assert_eq!(text("{% for x in list %}{{ loop.index }}.{{ x|upper }} {% endfor %}\n", &data), "1.X 2.Y ");
    assert_eq!(
        text("{{ list|join(', ') }} {{ missing|default('-') }} {{ missing is defined }}", &data),
        "x, y - false"
    );
    assert_eq!(text("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('a') }}", &data), "<a>");
    assert_eq!(text("no variable", &json!([1])), "no variable");
}

#[test]
fn values_are_escaped_and_the_template_is_not() {
    let data = json!({"v": "*a* <b> _c_", "lines": "one\n# two", "n": 5, "map": {"a_": "*"}});
    assert_eq!(to(TEXT, "**{{ v }}**", &data), "***a* <b> _c_**");
    assert_eq!(to(MARKDOWN, "**x** {{ v }} {{ n }}", &data), "**x** `*a* <b> _c_` 5");
    assert_eq!(to(MARKDOWN, "{{ lines }}", &data), "one\n`# two`");
    assert_eq!(to(MARKDOWN, "{{ map }}", &data), "`{\"a_\":\"*\"}`");
    assert_eq!(to(MARKDOWN_V2, "**x** {{ v }} | {{ lines }}", &data), "**x** \\*a\\* \\<b> \\_c\\_ | one\n\\# two");
}

#[test]
fn safe_values_are_not_escaped() {
    let data = json!({"v": "*a*", "u": "https://example.com/a_(b)?c=\"d\"", "code": "a ``` b"});
    for target in [MARKDOWN, MARKDOWN_V2] {
        assert_eq!(to(target, "{{ v|safe }}", &data), "*a*");
        assert_eq!(to(target, "{% autoescape false %}{{ v }}{% endautoescape %}", &data), "*a*");
        assert_eq!(to(target, "[x]({{ u|url }})", &data), "[x](https://example.com/a_%28b%29?c=%22d%22)");
    }
    assert_eq!(to(MARKDOWN_V2, "{{ code|fenced }}", &data), "````\na ``` b\n````");
    assert_eq!(to(TEXT, "{{ code|fenced }}", &data), "a ``` b");
    // What was escaped once is not escaped again, and what was not still is.
    let twice = "{% set x %}{{ v }}{% endset %}{{ x }}";
    assert_eq!(to(MARKDOWN_V2, twice, &data), "\\*a\\*");
    assert_eq!(to(MARKDOWN_V2, "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(v) }}", &data), "\\*a\\*");
    assert_eq!(to(MARKDOWN_V2, "{{ v|e }} {{ v|upper }} {{ v ~ v }}", &data), "\\*a\\* \\*A\\* \\*a\\*\\*a\\*");
}

#[test]
fn json_stays_json_whatever_the_values_are() {
    let data = json!({"v": "\"}, \"x\": \\ \n\u{7}", "n": 1.5, "list": ["a\"b", null]});
    let source = r#"{"content": "say {{ v }}", "n": {{ n }}, "list": {{ list }}, "whole": {{ v|tojson }}}"#;
    let result: Value = serde_json::from_str(&to(Escaping::Json, source, &data)).unwrap();
    let said = format!("say {}", data["v"].as_str().unwrap());
    assert_eq!(result, json!({"content": said, "n": 1.5, "list": data["list"], "whole": data["v"]}));
}

#[test]
fn a_result_that_is_no_object_is_refused_with_its_place() {
    let data = json!({"v": "x"});
    let refused = |source: &str| render("card.json", source, &data, Escaping::Json).unwrap_err();
    let error = refused("{\"a\":\n {{ v }}}");
    assert_eq!(error.status(), Status::Usage);
    let message = error.message();
    assert!(
        message.starts_with("the template card.json does not give JSON") && message.ends_with("line 2 column 2"),
        "{message}"
    );
    assert!(error.hint().unwrap().contains("{{ x|tojson }}"));
    assert_eq!(refused("[1]").message(), "the template card.json gives JSON that is not an object");
    assert!(refused("").message().contains("line 1 column 0"));
    assert!(refused(r#"{"a": 1, "a": 2}"#).message().contains("occurs twice"));
}

#[test]
fn undefined_variables_are_named_with_their_line() {
    let data = json!({"status": "firing", "alerts": [{"labels": {}}]});
    for (source, named) in [
        ("a\n{{ stauts }}", "line 2: `stauts` is undefined"),
        ("{{ alerts[0].labels.job }}", "line 1: `alerts[0].labels.job` is undefined"),
        ("{{ nope.more }}", "`nope.more` is undefined"),
        ("{{ nope|upper }}", "`nope|upper` is undefined"),
        ("{{ nope.a.b|trim|upper }}", "`nope.a"),
        ("{% for x in nope %}{% endfor %}", "`nope` is undefined"),
        ("{% if nope %}{% endif %}", "`nope` is undefined"),
        ("{{ 'a' ~ nope }}", "`'a' ~ nope` is undefined"),
        ("{% if status == nope %}{% endif %}", "status == nope"),
        ("{{ [nope] }}", "`[nope]` is undefined"),
        ("{{ {'a': nope}|tojson }}", "nope}|tojson` is undefined"),
        ("{{ alerts[7] }}", "`alerts[7]` is undefined"),
    ] {
        let message = refusal(source, &data).message().to_owned();
        assert!(message.starts_with("the template alert.j2, line ") && message.contains(named), "{source}: {message}");
    }
    let hint = refusal("{{ stauts }}", &data).hint().unwrap().to_owned();
    assert!(
        hint.starts_with("the data has status, alerts; the nearest is status; write {{ x|default('') }}"),
        "{hint}"
    );
    assert!(refusal("{{ x }}", &json!("text")).hint().unwrap().starts_with("the data has no names"));
}

#[test]
fn a_hint_has_the_names_of_the_object_that_lacks_one() {
    let data = json!({
        "status": "firing", "a-b": 1, "groups": [[{"x": 1}]],
        "alerts": [
            {"labels": {}, "annotations": {"summary": "s", "runbook_url": "u"}},
            {"labels": {"job": "x"}, "annotations": {"summary": "s", "description": "d"}},
        ],
    });
    for (source, hint) in [
        ("{{ stauts }}", "the data has status, a-b, groups, alerts; the nearest is status; write"),
        ("{{ nope }}", "the data has status, a-b, groups, alerts; write"),
        ("{{ alerts[0].no }}", "`alerts.0` has labels, annotations; write"),
        ("{{ alerts[0].labels.job }}", "`alerts.0.labels` is empty; write"),
        (
            "{% for alert in alerts %}{{ alert.annotations.runbook_ulr }}{% endfor %}",
            "`alert.annotations` has summary, runbook_url; the nearest is runbook_url; write",
        ),
        (
            "{%- for alert in alerts %}{{ alert.annotations.runbook_url|upper }}{% endfor %}",
            "`alert.annotations` has summary, description; write",
        ),
        (
            "{% for alert in alerts %}{% set notes = alert.annotations %}{{ notes.x }}{% endfor %}",
            "`notes` has summary, runbook_url; write",
        ),
        ("{% for a in a %}{% endfor %}", "write {{ x|default"),
        ("{{ a-b }}", "write data['a-b']: a name that is not one word"),
    ] {
        let told = refusal(source, &data).hint().unwrap().to_owned();
        assert!(told.starts_with(hint), "{source}: {told}");
    }
    assert_eq!(text("{{ data['a-b'] }} {{ data.status }}", &data), "1 firing");
    assert_eq!(text("{{ data[1] }}", &json!([1, 2])), "2");
    assert_eq!(text("{{ data }}", &json!({"data": "own"})), "own");
}

#[test]
fn a_go_template_is_named() {
    let data = json!({"status": "firing", "alerts": []});
    for source in [
        "{{ range .Alerts }}{{ .Labels.alertname }}{{ end }}",
        "{{ .Alerts }}",
        "x {{- .Status | toUpper -}}",
        "{{ if eq .Status \"firing\" }}x{{ end }}",
        "{{ define \"x\" }}{{ end }}",
        "{{ $x := 1 }}",
        "{{ end }}",
    ] {
        let error = refusal(source, &data);
        assert!(error.message().contains("this is a Go template"), "{source}: {error}");
        assert!(error.hint().unwrap().contains("{% for alert in alerts %}"), "{source}");
    }
    let message = refusal("{{ 5 }} {{ ends }} {{ range }", &data).message().to_owned();
    assert!(!message.contains("Go"), "{message}");
}

/// What the engine would round or write in another form.
#[test]
fn numbers_show_as_the_data_writes_them() {
    let json = r#"{"v": 93.33333333333333, "id": 123456789012345678901, "huge": 1234567890123456789012345678901234567890,
        "price": 1.50, "e": 1e+21, "far": 1e+999, "list": [1.10, -7, 340282366920938463463374607431768211455]}"#;
    let data: Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        text("{{ v }} {{ id }} {{ huge }} {{ price }} {{ e }} {{ far }} {{ list }} {{ v|tojson }}", &data),
        "93.33333333333333 123456789012345678901 1234567890123456789012345678901234567890 1.50 1e+21 1e+999 \
         [1.10,-7,340282366920938463463374607431768211455] 93.33333333333333"
    );
    assert_eq!(
        to(Escaping::Json, r#"{"a": {{ price }}, "b": {{ id }}}"#, &data),
        r#"{"a": 1.50, "b": 123456789012345678901}"#
    );
    // They are numbers all the same.
    assert_eq!(text("{{ price * 2 }} {{ id + 1 }} {{ v|round(1) }}", &data), "3.0 123456789012345678902 93.3");
    assert_eq!(text("{{ v > 90 and price == 1.5 and far > e and huge > id and list[0] < price }}", &data), "true");
    // Two forms of one value: the shortest.
    let both: Value = serde_json::from_str(r#"{"a": 1.50, "b": 1.5}"#).unwrap();
    assert_eq!(text("{{ a }} {{ b }}", &both), "1.5 1.5");
}

#[test]
fn times_are_shown_in_the_receivers_zone() {
    let data = json!({"t": "2026-03-01T20:00:59.123Z", "s": 1_772_395_259, "ms": 1_772_395_259_123_i64, "never": "0001-01-01T00:00:00Z"});
    for (source, shown) in [
        ("{{ t|localtime }}", "2026-03-02 04:00 +0800"),
        ("{{ t|localtime('%m月%d日 %H:%M') }}", "03月02日 04:00"),
        ("{{ s|localtime }}", "2026-03-02 04:00 +0800"),
        ("{{ ms|localtime('%H:%M:%S') }}", "04:00:59"),
        ("{{ never|localtime }}|{{ 'yesterday'|localtime }}|{{ none|localtime }}", "|yesterday|null"),
    ] {
        assert_eq!(text(source, &data), shown, "{source}");
    }
    let error = refusal("{{ t|localtime('%Q') }}", &data);
    assert!(error.message().contains("\"%Q\" is not a time format"), "{error}");
}

#[test]
fn every_listed_filter_is_known_and_the_nearest_is_named() {
    for name in FILTERS {
        let result = render("t", &format!("{{{{ 'x'|{name} }}}}"), &json!({}), TEXT);
        let is_unknown = result.is_err_and(|error| error.message().contains("unknown"));
        assert!(!is_unknown, "{name}");
    }
    assert_eq!(text("{{ 'a b&磁'|urlencode }}", &json!({})), "a%20b%26%E7%A3%81");
    let hint = refusal("{{ 'x'|uper }}", &json!({})).hint().unwrap().to_owned();
    assert!(hint.starts_with("did you mean upper? The filters are: default, upper"), "{hint}");
}

#[test]
fn mistakes_are_named_with_their_line() {
    let data = json!({"x": 1});
    for (source, named) in [
        ("\n\n{% if x %}", "line 3: unexpected end of input"),
        ("{{ x", "line 1: unexpected end of input"),
        ("{{ x|nofilter }}", "filter nofilter is unknown"),
        ("{{ x / 0 }}", "in `x / 0`"),
        ("{{ x() }}", "not callable in `x()`"),
        ("{{ nofunction() }}", "nofunction is unknown"),
    ] {
        let message = refusal(source, &data).message().to_owned();
        assert!(message.contains(named), "{source}: {message}");
    }
    let long = format!("{{{{ y.{} }}}}", "a".repeat(5000));
    assert!(refusal(&long, &data).message().len() < 300);
    let error = render("a\n\u{1b}b", "{{ y }}", &data, TEXT).unwrap_err();
    assert!(error.message().starts_with("the template a  b, line 1"), "{error}");
}

#[test]
fn a_template_reaches_nothing_but_its_data() {
    for source in [
        "{% include '/etc/hostname' %}",
        "{% extends 'x' %}",
        "{% from 'x' import y %}",
        "{% import 'x' as y %}",
        "{{ now() }}",
        "{{ env('HOME') }}",
        "{{ debug() }}",
        "{{ 1|pprint }}",
        "{{ namespace() }}",
    ] {
        let message = refusal(source, &json!({})).message().to_owned();
        assert!(message.contains("unknown"), "{source}: {message}");
    }
}

#[test]
fn a_runaway_template_is_stopped() {
    let data = json!({"x": "y".repeat(1_000_000)});
    for (source, named) in [
        ("{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}", "too much work"),
        ("{{ 'x' * 2000000000 }}", "too much work"),
        ("{{ '%2000000000d'|format(1) }}", "too much work"),
        ("{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}", "recursion"),
        ("{% for a in range(50) %}{{ x }}{% endfor %}", "gives more than 20971520 bytes"),
        ("{{ range(1000000000) }}", "too many"),
    ] {
        let message = refusal(source, &data).message().to_owned();
        assert!(message.contains(named), "{source}: {message}");
    }
    let nested = format!("{{{{ {}1{} }}}}", "[".repeat(15_000), "]".repeat(15_000));
    assert!(refusal(&nested, &data).message().contains("recursion"));
    let long = "x".repeat(MAX_SOURCE + 1);
    assert!(refusal(&long, &data).message().contains("32769 bytes long"));
}

/// What is small until it is walked: a list that holds another one twice, 60 times over, and a text that grows so.
#[test]
fn a_value_that_doubles_is_refused_when_it_is_walked() {
    for (first, step, end) in [
        ("['*\n']", "[s, s]", "{{ s }}"),
        ("['*\n']", "[s, s]", "{% set x %}{{ s }}{% endset %}"),
        ("{'a': '*\n'}", "{'a': s, 'b': s}", "{{ s|tojson }}"),
        ("'*\n'", "s ~ s", "{{ s }}"),
        ("['*\n']", "s + s", "{{ s }}"),
    ] {
        let grown = format!("{{% set s = {step} %}}").repeat(60);
        let source = format!("{{% set s = {first} %}}{grown}{end}");
        let error = refusal(&source, &json!({}));
        assert!(error.message().contains("too much work"), "{step} {end} {error}");
    }
}

/// As deep as macros that call each other can make a value.
#[test]
fn a_value_made_deep_by_macros_does_no_harm() {
    let level = format!("{{%set x={}x{}%}}", "[".repeat(30), "]".repeat(30)).repeat(400);
    for calls in [1, 2, 3, 4, 10, 60] {
        let source = format!(
            "{{% macro m(x, n) %}}{level}{{% if n > 1 %}}{{{{ m(x, n - 1) }}}}{{% else %}}{{{{ (x ~ 'a')|length }}}}\
            {{% endif %}}{{% endmacro %}}{{{{ m(1, {calls}) }}}}"
        );
        let result = render("deep", &source, &json!({}), TEXT);
        assert_eq!(result.is_ok(), calls < 5, "{calls} {result:?}");
    }
}

/// A value as deep as a template can make it: refused or shown, but no stack overflow.
#[test]
fn a_value_made_deep_does_no_harm() {
    let level = format!("{{%set a={}a{}%}}", "[".repeat(30), "]".repeat(30));
    let deep = |end: &str| format!("{{%set a=1%}}{}{end}", level.repeat((MAX_SOURCE - 50) / level.len()));
    let m = refusal(&deep("{{ a }}"), &json!({}));
    assert!(m.message().contains("nested too deep"), "{m}");
    assert!(refusal(&deep("{{ a|tojson }}"), &json!({})).message().contains("nested too deep"));
    assert_eq!(text(&deep("done"), &json!({})), "done");
    for end in
        ["{{ a|string|length }}", "{{ a == [a] }}", "{{ a < [a] }}", "{{ [a, a]|unique|list|length }}", "{{ a ~ 1 }}"]
    {
        let _ = render("deep", &deep(end), &json!({}), TEXT);
    }
}

#[test]
fn all_that_fits_is_given() {
    let data = json!({"x": "y".repeat(1 << 20)});
    let source = "{% for a in range(20) %}{{ x }}{% endfor %}";
    assert_eq!(text(source, &data).len(), MAX_OUTPUT);
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![r#"[a<>*_`#&;\\|~=$"'{}%\[\]() 磁🚨\n\t-]{0,60}"#, any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_template_gives_a_result_or_an_error(source in r#"([a-c .|~+*/()\[\]0-9'"\n-]|\{\{|\}\}|\{%|%\}|if |for |in |set |endif|endfor){0,40}"#) {
        for target in ALL {
            let _ = render("t", &source, &json!({"a": [1, "x"], "b": {"c": null}}), target);
        }
    }

    #[test]
    fn any_string_survives_json(value in hostile()) {
        let source = r#"{"inside": "<{{ v }}>", "whole": {{ v|tojson }}}"#;
        let result: Value = serde_json::from_str(&to(Escaping::Json, source, &json!({"v": value}))).unwrap();
        let value = crate::alert::escape::text(&value);
        prop_assert_eq!(result, json!({"inside": format!("<{value}>"), "whole": value}));
    }

    #[test]
    fn any_string_is_escaped_like_an_alert_is(value in hostile()) {
        let v2 = to(MARKDOWN_V2, "{{ v }}", &json!({"v": value}));
        let lines: Vec<_> = value.split('\n').map(|line| crate::alert::escape::markdown_v2_paragraph(line.trim_end_matches('\r'))).collect();
        prop_assert_eq!(v2, lines.join("\n"));
        prop_assert_eq!(text("{{ v }}", &json!({"v": value})), crate::alert::escape::text(&value));
        prop_assert_eq!(to(Escaping::Nothing, "{{ v }}", &json!({"v": value})), value);
    }
}
