//! Files become rows, and a row that cannot be one says why without stopping the others.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine;
use max_core::id::Digest;
use serde_json::{Map, Value, json};

use super::Format;
use crate::exit::{Exit, Failure};

/// A row of a file.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// As a spreadsheet counts: the heading is row 1. In JSON the first object is 1, in JSONL it is the line.
    pub(super) number: usize,
    /// The lead, or what is wrong with the row.
    pub(super) lead: Result<Map<String, Value>, RowError>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowError {
    /// The field, where one is to blame.
    pub(super) field: Option<String>,
    /// What is wrong and how to mend it.
    pub(super) detail: String,
}

impl RowError {
    fn new(field: Option<&str>, detail: impl Into<String>) -> Self {
        Self { field: field.map(str::to_owned), detail: detail.into() }
    }
}

impl Row {
    /// The row with a `source` where it has none.
    pub(super) fn with_source(mut self, source: &str) -> Self {
        if let Ok(lead) = &mut self.lead {
            lead.entry("source").or_insert_with(|| source.into());
        }
        self
    }
}

/// The fields that make a row a project under way instead of a new lead.
const IMPORT_FIELDS: [&str; 5] = ["stage", "data", "artifacts", "signed", "approved_scope"];
/// The largest artifact file that is sent with a row.
const LARGEST_FILE: u64 = 700 << 10;

/// What the file probably is.
pub(super) fn guess(file: &Path, text: &str) -> Format {
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    match (extension.as_str(), text.trim_start().chars().next()) {
        ("csv" | "tsv", _) => Format::Csv,
        ("jsonl" | "ndjson", _) => Format::Jsonl,
        ("json", Some('{')) if text.trim_end().lines().count() > 1 && one_object_each_line(text) => Format::Jsonl,
        ("json", _) | (_, Some('[')) => Format::Json,
        (_, Some('{')) => Format::Jsonl,
        _ => Format::Csv,
    }
}

fn one_object_each_line(text: &str) -> bool {
    text.lines().next().is_some_and(|line| serde_json::from_str::<Map<String, Value>>(line).is_ok())
}

/// The rows of a file.
pub(super) fn parse(format: Format, text: &str, map: &[(String, String)], folder: &Path) -> Result<Vec<Row>, Failure> {
    let mut rows = match format {
        Format::Csv => csv_rows(text, map)?,
        Format::Json => json_rows(text)?,
        Format::Jsonl => jsonl_rows(text),
    };
    for row in &mut rows {
        if let Ok(lead) = &mut row.lead
            && let Err(error) = load_artifacts(lead, folder)
        {
            row.lead = Err(error);
        }
    }
    Ok(rows)
}

// ---- CSV ---------------------------------------------------------------------------------------------------------

fn csv_rows(text: &str, map: &[(String, String)]) -> Result<Vec<Row>, Failure> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let Some(heading) = records.next() else { return Ok(Vec::new()) };
    let heading =
        heading.map_err(|error| Failure::new(Exit::Invalid, format!("the heading cannot be read: {error}")))?;
    let fields: Vec<String> = heading.iter().map(|name| field_of(name, map)).collect();
    check_heading(&fields, heading.iter().collect())?;
    Ok(records
        .enumerate()
        .filter(|(_, record)| !record.as_ref().is_ok_and(|r| r.iter().all(|cell| cell.trim().is_empty())))
        .map(|(index, record)| {
            let lead = record
                .map_err(|error| RowError::new(None, format!("the row cannot be read: {error}")))
                .and_then(|record| csv_lead(&fields, &record));
            Row { number: index + 2, lead }
        })
        .collect())
}

fn check_heading(fields: &[String], columns: Vec<&str>) -> Result<(), Failure> {
    for (index, field) in fields.iter().enumerate() {
        if !field.is_empty() && fields[..index].contains(field) {
            let (column, other) = (columns[index], fields.iter().position(|f| f == field).map_or("", |i| columns[i]));
            return Err(Failure::new(Exit::Invalid, format!("columns `{other}` and `{column}` both mean {field}"))
                .hint(format!("say which one counts: --map '{column}=other_name'")));
        }
    }
    if !fields.iter().any(|field| field == "message") {
        let seen = columns.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ");
        return Err(Failure::new(Exit::Invalid, format!("no column is the message; the heading says {seen}"))
            .hint("say which one it is: --map 'YOUR COLUMN=message'"));
    }
    Ok(())
}

fn csv_lead(fields: &[String], record: &csv::StringRecord) -> Result<Map<String, Value>, RowError> {
    if record.len() > fields.len() && record.iter().skip(fields.len()).any(|cell| !cell.trim().is_empty()) {
        let why = format!(
            "the row has {} cells and the heading {}; is a cell with the delimiter in it not quoted?",
            record.len(),
            fields.len()
        );
        return Err(RowError::new(None, why));
    }
    let mut lead = Map::new();
    for (field, cell) in fields.iter().zip(record) {
        let cell = cell.trim();
        if !cell.is_empty() && !field.is_empty() {
            lead.insert(field.clone(), csv_value(field, cell)?);
        }
    }
    Ok(lead)
}

/// A cell is text, except where the field is known to be more.
fn csv_value(field: &str, cell: &str) -> Result<Value, RowError> {
    match field {
        "data" | "artifacts" | "consent" if cell.starts_with(['{', '[']) => {
            serde_json::from_str(cell).map_err(|error| RowError::new(Some(field), format!("is not JSON: {error}")))
        }
        "signed" => match cell.to_lowercase().as_str() {
            "true" | "yes" | "1" | "ja" | "x" => Ok(true.into()),
            "false" | "no" | "0" | "nein" | "-" => Ok(false.into()),
            _ => Err(RowError::new(Some(field), format!("must be yes or no, and is `{cell}`"))),
        },
        _ => Ok(cell.into()),
    }
}

/// The delimiter that the heading uses: the most frequent one outside quotes.
fn delimiter(text: &str) -> u8 {
    let mut counts = [(b';', 0), (b'\t', 0), (b',', 0)];
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().filter(|(d, _)| *d == byte).for_each(|(_, count)| *count += 1),
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| delimiter)
}

/// The field that a column stands for: as mapped, else as recognised, else its own name in plain letters.
fn field_of(column: &str, map: &[(String, String)]) -> String {
    let column = column.trim();
    if let Some((_, field)) = map.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)) {
        return field.clone();
    }
    let plain: String = column.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let plain = plain.trim_matches('_').to_owned();
    let known = match plain.as_str() {
        "full_name" | "contact" | "contact_name" | "kontakt" | "ansprechpartner" | "vollständiger_name" => "name",
        "e_mail" | "mail" | "email_address" | "e_mail_address" | "e_mail_adresse" | "mailadresse" => "email",
        "telephone" | "phone_number" | "tel" | "mobile" | "telefon" | "telefonnummer" | "mobil" => "phone",
        "company_name" | "organisation" | "organization" | "firma" | "unternehmen" => "company",
        "position" | "job_title" | "rolle" | "funktion" => "role",
        "web" | "url" | "homepage" | "site" | "webseite" | "website_url" => "website",
        "text" | "request" | "inquiry" | "enquiry" | "description" | "nachricht" | "anfrage" | "beschreibung" => {
            "message"
        }
        "language" | "lang" | "sprache" => "locale",
        "quelle" | "channel" | "kanal" => "source",
        "budget_range" | "price_range" => "budget",
        "deadline" | "time_frame" | "timeframe" | "zeitrahmen" | "termin" => "timeline",
        "ref" | "reference" | "externalref" | "external_id" | "referenz" | "kundennummer" => "external_ref",
        _ => return plain,
    };
    known.to_owned()
}

// ---- JSON --------------------------------------------------------------------------------------------------------

fn json_rows(text: &str) -> Result<Vec<Row>, Failure> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        Failure::new(Exit::Invalid, format!("the file is not JSON: {error}"))
            .hint("one object on each line is JSONL: --format jsonl")
    })?;
    let items = match value {
        Value::Array(items) => items,
        Value::Object(mut object) => match object.remove("leads") {
            Some(Value::Array(items)) => items,
            Some(_) => return Err(Failure::new(Exit::Invalid, "`leads` must be an array of objects")),
            None => vec![Value::Object(object)],
        },
        _ => return Err(Failure::new(Exit::Invalid, "the file must hold an array of objects")),
    };
    Ok(items.into_iter().enumerate().map(|(index, item)| Row { number: index + 1, lead: object(item) }).collect())
}

fn jsonl_rows(text: &str) -> Vec<Row> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let lead = serde_json::from_str(line)
                .map_err(|error| RowError::new(None, format!("the line is not JSON: {error}")))
                .and_then(object);
            Row { number: index + 1, lead }
        })
        .collect()
}

fn object(value: Value) -> Result<Map<String, Value>, RowError> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(RowError::new(None, "the row must be an object such as {\"email\": …, \"message\": …}")),
    }
}

// ---- projects under way ------------------------------------------------------------------------------------------

/// Whether a row is a project under way, and the request it becomes: path and body.
pub(super) fn request(mut lead: Map<String, Value>) -> (&'static str, Value) {
    if !lead.contains_key("stage") {
        return ("/api/ingest-lead", Value::Object(lead));
    }
    let mut body = Map::new();
    for field in IMPORT_FIELDS {
        if let Some(value) = lead.remove(field) {
            body.insert(field.into(), value);
        }
    }
    body.insert("lead".into(), Value::Object(lead));
    ("/api/import", Value::Object(body))
}

/// The key under which a row counts once. It stands on the row's content, so that the same file again adds nothing,
/// and a file with one row mended adds that row alone. A row that stands in the file twice is two rows.
pub(super) fn once_key(path: &str, body: &Value, seen: &mut HashMap<Digest, usize>) -> String {
    let digest = Digest::of(format!("{path}\n{body}").as_bytes());
    let count = seen.entry(digest).or_default();
    *count += 1;
    format!("ingest-{}-{count}", &digest.to_string()[..40])
}

/// Puts the content of artifact files into the row. Only files below the import file's own folder are read: rows may
/// come from somebody else.
fn load_artifacts(lead: &mut Map<String, Value>, folder: &Path) -> Result<(), RowError> {
    let Some(artifacts) = lead.get_mut("artifacts") else { return Ok(()) };
    let wrong = |detail: String| RowError::new(Some("artifacts"), detail);
    let items = artifacts.as_array_mut().ok_or_else(|| wrong("must be a list of {stage, name, path}".into()))?;
    for item in items {
        let Some(path) = item.get("path").and_then(Value::as_str).map(str::to_owned) else { continue };
        let bytes = artifact_bytes(folder, &path).map_err(|why| wrong(format!("`{path}`: {why}")))?;
        if let Some(object) = item.as_object_mut() {
            object.remove("path");
            object.insert("base64".into(), json!(base64::engine::general_purpose::STANDARD.encode(bytes)));
        }
    }
    Ok(())
}

fn artifact_bytes(folder: &Path, path: &str) -> Result<Vec<u8>, String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let inside = folder.canonicalize().map_err(|error| error.to_string())?;
    let file = inside.join(path).canonicalize().map_err(|error| format!("cannot be read: {error}"))?;
    if !file.starts_with(&inside) {
        return Err("lies outside the folder of the import file; put it there".into());
    }
    let size = file.metadata().map_err(|error| error.to_string())?.len();
    if size > LARGEST_FILE {
        return Err(format!("has {size} bytes; a row can carry at most {LARGEST_FILE}"));
    }
    std::fs::read(&file).map_err(|error| format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests;
