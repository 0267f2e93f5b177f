//! Signals as people, scripts and attackers write them.

use super::*;
use proptest::prelude::*;

const EXAMPLE: &str = r#"type: PIPELINE_TRANSITION
from: FirstResponder
to: ScopingAgent            # stage names, persona names and <Stage>Agent all resolve
lead_id: abc-123            # a UUID, or the `external_ref` given at ingestion
previous_stage: FirstResponder
next_stage: Scoping
summary: "Lead qualified, ready for requirements"
data_path: /AI_Agents/max-pipeline/abc-123/stage-2-first/
"#;

fn reason(text: &str) -> String {
    parse(text.as_bytes(), FileKind::Yaml).expect_err(text).0
}

#[test]
fn the_transition_of_the_design_reads_word_for_word() {
    let signal = parse(EXAMPLE.as_bytes(), FileKind::Yaml).expect("a signal");
    assert_eq!(signal.kind, SignalType::PipelineTransition);
    assert_eq!((signal.from.as_str(), signal.to.as_str()), ("FirstResponder", "ScopingAgent"));
    assert_eq!(signal.lead_id.as_deref(), Some("abc-123"));
    assert_eq!(signal.previous_stage.as_deref(), Some("FirstResponder"));
    assert_eq!(signal.next_stage.as_deref(), Some("Scoping"));
    assert_eq!(signal.summary.as_deref(), Some("Lead qualified, ready for requirements"));
    assert_eq!(signal.data_path.as_deref(), Some("/AI_Agents/max-pipeline/abc-123/stage-2-first/"));
    assert_eq!(signal.id, None);
    assert!(signal.extra.is_empty());
}

#[test]
fn numbers_and_booleans_in_text_fields_keep_their_spelling() {
    let text = "type: lead\nlead_id: 0123\nsummary: 42\nphone: +4930123\nfrom: yes\nto: 1e3\nurgent: true\nseats: 3";
    let signal = parse(text.as_bytes(), FileKind::Yaml).expect("a signal");
    assert_eq!(signal.lead_id.as_deref(), Some("0123"));
    assert_eq!(signal.summary.as_deref(), Some("42"));
    assert_eq!((signal.from.as_str(), signal.to.as_str()), ("yes", "1e3"));
    assert_eq!(signal.extra_text("phone"), Some("+4930123"));
    assert_eq!(signal.extra["urgent"], true);
    assert_eq!(signal.extra["seats"], 3);
}

#[test]
fn a_lead_below_its_own_field_keeps_its_spelling_too() {
    let signal = parse(b"type: LEAD\nlead:\n  name: 007\n  budget: 5000\n  consent: {mail: true}", FileKind::Yaml)
        .expect("a signal");
    assert_eq!(signal.extra["lead"]["name"], "007");
    assert_eq!(signal.extra["lead"]["budget"], "5000");
    assert_eq!(signal.extra["lead"]["consent"]["mail"], true);
}

#[test]
fn refusals_say_what_is_wrong() {
    for (text, words) in [
        ("type: HELLO", "`HELLO` is unknown"),
        ("from: me", "`type` is missing"),
        ("type:", "`type` is missing"),
        ("type: PIPELINE_TRANSITION", "`lead_id` is missing"),
        ("type: LEAD\ntype: LEAD", "`type` is there twice"),
        ("type: LEAD\nextra: 1\nextra: 2", "`extra` is there twice"),
        ("type: LEAD\n---\ntype: LEAD", "several documents"),
        ("type: LEAD\nsummary: [a, b]", "`summary` must be a text"),
        ("type: LEAD\nlead: 3", "`lead` must hold fields"),
        ("type: LEAD\nid: \"two words\"", "`id`"),
        ("type: LEAD\nat: yesterday", "`at` is `yesterday`"),
        ("- a\n- b", "cannot be read"),
        ("type: [LEAD", "`type` must be a text"),
        ("type: LEAD\nsummary: a: b", "cannot be read"),
        ("   \n", "empty"),
    ] {
        let sentence = reason(text);
        assert!(sentence.contains(words), "{text:?}: {sentence}");
        assert!(!sentence.contains('\n'), "{sentence}");
    }
    assert!(parse(b"type: \xff", FileKind::Yaml).expect_err("no text").0.contains("not UTF-8"));
}

#[test]
fn bombs_are_refused() {
    let mut laughs = String::from("type: LEAD\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        laughs.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
    }
    let sentence = reason(&laughs);
    assert!(sentence.contains("expands too much"), "{sentence}");
    assert!(reason(&format!("type: LEAD\nx: {}", "[".repeat(5_000))).len() < 400);
    assert!(reason(&format!("type: LEAD\nx: [{}]", "1,".repeat(50_000))).contains("too large"));
    assert!(reason(&format!("type: LEAD\nsummary: {}", "x".repeat(MAX_BYTES))).contains("at most"));
}

#[test]
fn markdown_carries_its_text_as_body_and_summary() {
    let text = "\u{feff}---\r\ntype: CLIENT_MESSAGE\r\nlead_id: abc-123\r\n---\r\n\r\n# Hello\r\n---\r\nyours\r\n";
    let signal = parse(text.as_bytes(), FileKind::Markdown).expect("a signal");
    assert_eq!(signal.extra_text("body"), Some("# Hello\r\n---\r\nyours"));
    assert_eq!(signal.summary.as_deref(), Some("# Hello\r\n---\r\nyours"));
    let none = parse(b"# Hello", FileKind::Markdown).expect_err("no front matter");
    assert!(none.0.contains("no front matter"), "{none}");
    let open = parse(b"---\ntype: LEAD\n", FileKind::Markdown).expect_err("no end");
    assert!(open.0.contains("no end"), "{open}");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[-:#&*!|>'\"%@`{}\\[\\], \n\t~?yn0-9.+e]{0,30}",
        prop::sample::select(vec![
            "yes",
            "no",
            "null",
            "~",
            "0123",
            "1e3",
            "0x1f",
            ".nan",
            "true",
            "- a",
            "a: b",
            "# x",
            "",
            " ",
            "=",
            "<<",
            "2026-11-22",
            "1:30",
            "multi\nline\n",
            "\ttab",
            "trailing ",
            "\u{85}",
            "\u{2028}",
            "\u{feff}x",
            "\r\n",
            "---",
            "...",
            "--- a\n--- b",
            "y",
            "+1",
            "1_000",
            "!!str x",
            "*a",
            "&a",
            "\0",
        ])
        .prop_map(str::to_owned),
        "(a very long line with words ){1,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_written_reads_the_same_again(
        from in text(), summary in prop::option::of(text()), lead in prop::option::of(text()),
        extra in prop::collection::vec(("x_[a-z]{1,8}", value()), 0..4),
    ) {
        let mut signal = Signal::new(SignalType::ClientMessage, from, "Scoping");
        signal.summary = summary;
        signal.lead_id = lead;
        signal.at = Some("2026-11-22T10:11:12Z".parse().expect("a moment"));
        signal.id = Some(SignalId::try_from("0197-e5".to_owned()).expect("an id"));
        signal.extra = extra.into_iter().collect();
        let yaml = to_yaml(&signal);
        let read = parse(yaml.as_bytes(), FileKind::Yaml);
        prop_assert_eq!(read.as_ref(), Ok(&signal), "{}", yaml);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for kind in [FileKind::Yaml, FileKind::Markdown] {
            if let Err(reason) = parse(&bytes, kind) {
                prop_assert!(!reason.0.contains('\n'));
            }
        }
    }
}

#[test]
fn a_written_signal_is_pleasant_to_read() {
    let mut signal = parse(EXAMPLE.as_bytes(), FileKind::Yaml).expect("a signal");
    signal.extra.insert("body".into(), "Hello,\n\n  a shop: please.\n".into());
    signal.extra.insert("answer".into(), "yes".into());
    signal.extra.insert("list".into(), serde_json::json!(["a", {"b": 1}]));
    let text = format!(
        "{}{}",
        EXAMPLE_WRITTEN, "body: |\n  Hello,\n\n    a shop: please.\nanswer: \"yes\"\nlist:\n- a\n- b: 1\n"
    );
    assert_eq!(to_yaml(&signal), text);
}

const EXAMPLE_WRITTEN: &str = "\
type: PIPELINE_TRANSITION
from: FirstResponder
to: ScopingAgent
lead_id: abc-123
previous_stage: FirstResponder
next_stage: Scoping
summary: Lead qualified, ready for requirements
data_path: /AI_Agents/max-pipeline/abc-123/stage-2-first/
";
