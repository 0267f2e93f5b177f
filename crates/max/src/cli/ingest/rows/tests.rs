//! What people export from spreadsheets, and what somebody hostile puts into a cell.

use super::*;

fn csv(text: &str) -> Vec<Row> {
    parse(Format::Csv, text, &[], Path::new(".")).expect("a readable file")
}

fn lead(row: &Row) -> &Map<String, Value> {
    row.lead.as_ref().expect("a good row")
}

#[test]
fn a_german_export_with_semicolons_is_understood() {
    let rows = csv("Ansprechpartner;E-Mail;Firma;Nachricht;Telefon;Lieblingsfarbe\n\
                    Jörg Müller;joerg@laden.example;\"Laden; Söhne\";\"Wir brauchen\neinen Shop.\";;blau\n\n");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].number, 2);
    assert_eq!(
        Value::Object(lead(&rows[0]).clone()),
        json!({"name": "Jörg Müller", "email": "joerg@laden.example", "company": "Laden; Söhne",
            "message": "Wir brauchen\neinen Shop.", "lieblingsfarbe": "blau"})
    );
}

#[test]
fn comma_and_tab_are_sniffed_in_the_heading_outside_quotes() {
    assert_eq!(delimiter("name,email,\"a;b;c;d\"\n;;;;;;"), b',');
    assert_eq!(delimiter("name\temail\tmessage\n"), b'\t');
    assert_eq!(delimiter("message\n"), b',');
}

#[test]
fn hostile_cells_stay_data() {
    let rows = csv("name,email,message\n\
        =cmd|' /C calc'!A0,\"a@b.example\r\nBcc: all@b.example\",\"\"\"; DROP TABLE leads; --\"\n\
        <script>alert(1)</script>,x@y.example,\"$(rm -rf /) `id` ../../etc/passwd \u{202e}\"\n");
    assert_eq!(lead(&rows[0])["name"], "=cmd|' /C calc'!A0");
    assert_eq!(lead(&rows[0])["email"], "a@b.example\r\nBcc: all@b.example");
    assert_eq!(lead(&rows[0])["message"], "\"; DROP TABLE leads; --");
    assert_eq!(lead(&rows[1])["name"], "<script>alert(1)</script>");
}

#[test]
fn a_bad_row_is_reported_and_the_others_stand() {
    let rows = csv("email,message,signed,data\n\
        a@b.example,one,,\n\
        a@b.example,two,three,four,five,six\n\
        a@b.example,three,perhaps,\n\
        a@b.example,four,ja,{broken\n");
    let errors: Vec<_> = rows.iter().filter_map(|row| row.lead.as_ref().err().map(|e| (row.number, e))).collect();
    assert_eq!(errors.len(), 3);
    assert_eq!(errors[0].0, 3);
    assert!(errors[0].1.detail.contains("6 cells"));
    assert_eq!(errors[1].1.field.as_deref(), Some("signed"));
    assert_eq!(errors[2].1.field.as_deref(), Some("data"));
}

#[test]
fn a_heading_without_a_message_asks_for_a_mapping() {
    let failure =
        parse(Format::Csv, "email,What you want\na@b.example,x\n", &[], Path::new(".")).expect_err("no message");
    assert!(failure.hint.expect("a remedy").contains("--map"));
    let map = [("what you want".to_owned(), "message".to_owned())];
    let rows = parse(Format::Csv, "email,What you want\na@b.example,x\n", &map, Path::new(".")).expect("mapped");
    assert_eq!(lead(&rows[0])["message"], "x");
    assert!(parse(Format::Csv, "mail,email,message\n", &[], Path::new(".")).is_err());
}

#[test]
fn json_comes_as_array_as_object_and_line_by_line() {
    let here = Path::new(".");
    assert_eq!(parse(Format::Json, r#"[{"message": "a"}, 7]"#, &[], here).expect("rows").len(), 2);
    assert_eq!(parse(Format::Json, r#"{"leads": [{"message": "a"}]}"#, &[], here).expect("rows").len(), 1);
    let rows = parse(Format::Jsonl, "{\"message\": \"a\"}\n\nnot json\n[1]\n", &[], here).expect("rows");
    assert_eq!(
        rows.iter().map(|row| (row.number, row.lead.is_ok())).collect::<Vec<_>>(),
        [(1, true), (3, false), (4, false)]
    );
    assert!(parse(Format::Json, "[{", &[], here).is_err());
    assert_eq!(guess(Path::new("x.json"), "[{}]"), Format::Json);
    assert_eq!(guess(Path::new("x"), "{\"a\":1}\n{\"a\":2}"), Format::Jsonl);
    assert_eq!(guess(Path::new("-"), "name,message"), Format::Csv);
}

#[test]
fn the_same_row_has_the_same_key_and_twice_in_a_file_is_two() {
    let body = json!({"message": "a"});
    let keys = || {
        let mut seen = HashMap::new();
        [once_key("/p", &body, &mut seen), once_key("/p", &body, &mut seen)]
    };
    assert_eq!(keys(), keys());
    assert_ne!(keys()[0], keys()[1]);
}

#[test]
fn a_project_under_way_takes_its_files_along_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).expect("made");
    std::fs::write(folder.path().join("secret"), "no").expect("written");
    std::fs::write(inner.join("scope.md"), "# Scope").expect("written");
    let text = r#"[
        {"message": "a", "stage": "Closer", "artifacts": [{"stage": "Scoping", "name": "scope.md", "path": "scope.md"}]},
        {"message": "b", "stage": "Closer", "artifacts": [{"stage": "Scoping", "name": "x", "path": "../secret"}]},
        {"message": "c", "stage": "Closer", "artifacts": [{"stage": "Scoping", "name": "x", "path": "/etc/hostname"}]}
    ]"#;
    let rows = parse(Format::Json, text, &[], &inner).expect("rows");
    let (path, body) = request(lead(&rows[0]).clone());
    assert_eq!(path, "/api/import");
    assert_eq!(body["lead"], json!({"message": "a"}));
    assert_eq!(body["artifacts"][0]["base64"], "IyBTY29wZQ==");
    for row in &rows[1..] {
        let error = row.lead.as_ref().expect_err("outside");
        assert_eq!(error.field.as_deref(), Some("artifacts"));
    }
}
