//! What newer versions derive from a lead's beginning, computed again for leads that older versions took in.

use max_core::lead::NewLead;
use rusqlite::{Connection, Error, params};
use serde_json::Value;

use super::columns::{domain_hash, narrow, person_hash, person_key};

/// Computes the keys of every lead that is not erased, and the rows of its company. Again changes nothing.
pub(super) fn run(writer: &Connection) -> Result<(), Error> {
    let mut read = writer.prepare(
        "SELECT l.no, l.person, l.name, l.email, e.payload FROM leads l \
         LEFT JOIN entries e ON e.lead = l.no AND e.version = 1 WHERE l.outcome IS NOT 'erased'",
    )?;
    let mut update = writer.prepare("UPDATE leads SET person = ?2 WHERE no = ?1")?;
    let mut print = writer.prepare("UPDATE leads SET fingerprint = ?2 WHERE no = ?1")?;
    let mut company = writer.prepare("INSERT INTO companies (domain, lead) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let (no, before): (i64, i64) = (row.get(0)?, row.get(1)?);
        let known = row.get_ref(4)?.as_str_or_null()?.and_then(contact);
        let key = match &known {
            Some(contact) => contact.person_key(),
            // Nothing else is left of it: name and address stand in the row.
            None => person_key(row.get(2)?, row.get(3)?),
        };
        let person = person_hash(&key);
        if person != before {
            update.execute(params![no, person])?;
        }
        let Some(contact) = known else { continue };
        if person != before {
            print.execute(params![no, narrow(contact.fingerprint())])?;
        }
        for domain in contact.company_domains() {
            company.execute(params![domain_hash(&domain), no])?;
        }
    }
    Ok(())
}

/// Who came in, as the first entry of his log says. Only that part is read: events of other versions may follow it.
fn contact(payload: &str) -> Option<NewLead> {
    let mut events: Vec<Value> = serde_json::from_str(payload).ok()?;
    let first = events.first_mut()?.get_mut("lead")?.take();
    serde_json::from_value(first).ok()
}

#[cfg(test)]
mod tests {
    use super::super::migrations::{migrate, migrate_to};
    use super::*;
    use serde_json::json;

    /// A lead as a version before aliases and companies stored it.
    fn old_lead(db: &Connection, no: i64, email: &str, website: Option<&str>) {
        let name = "Mina Berg";
        let lead = json!({"name": name, "email": email, "website": website, "message": "We need a page."});
        let payload = json!([{"type": "LeadIngested", "lead": lead, "message": uuid::Uuid::from_u128(1)},
                             {"type": "OfAnotherTime"}]);
        // Then the address itself was the key.
        let person = person_hash(&email.to_lowercase());
        db.execute(
            "INSERT INTO leads (no, id, version, stage, status, updated_at, created_at, person, fingerprint, name, \
             email, next_action) VALUES (?1, ?2, 1, 1, 1, 1, 1, ?3, 0, ?4, ?5, '')",
            params![no, uuid::Uuid::from_u128(no.unsigned_abs().into()).as_bytes(), person, name, email],
        )
        .expect("a lead");
        db.execute(
            "INSERT INTO entries (lead, version, at, actor, chain, payload) VALUES (?1, 1, 1, 'client', zeroblob(32), ?2)",
            params![no, payload.to_string()],
        )
        .expect("its entry");
    }

    #[test]
    fn leads_of_an_older_version_are_found_by_alias_and_company() {
        let mut db = Connection::open_in_memory().expect("a database");
        migrate_to(&mut db, 2).expect("the tables of then");
        old_lead(&db, 1, "mina+web@studio.test", Some("https://www.studio.test/start"));
        old_lead(&db, 2, "mina@gmail.com", None);
        migrate(&mut db).expect("up to date");
        let person = |key: &str| -> Vec<i64> {
            let mut found = db.prepare("SELECT no FROM leads WHERE person = ?1").expect("a statement");
            let rows = found.query_map([person_hash(key)], |row| row.get(0)).expect("rows");
            rows.map(|no| no.expect("a number")).collect()
        };
        let key = |email: &str| NewLead { email: email.into(), ..NewLead::default() }.person_key();
        assert_eq!(person(&key("Mina@Studio.test")), [1], "her other alias is she");
        assert_eq!(person(&key("m.i.n.a@googlemail.com")), [2]);
        let of_company = |domain: &str| -> i64 {
            let sql = "SELECT count(*) FROM companies WHERE domain = ?1";
            db.query_row(sql, [domain_hash(domain)], |row| row.get(0)).expect("a count")
        };
        assert_eq!((of_company("studio.test"), of_company("gmail.com")), (1, 0), "a mail provider is nobody's company");
        let fingerprint: i64 =
            db.query_row("SELECT fingerprint FROM leads WHERE no = 1", [], |r| r.get(0)).expect("one");
        let same =
            NewLead { email: "mina@studio.test".into(), message: "We need  a page.".into(), ..NewLead::default() };
        assert_eq!(fingerprint, narrow(same.fingerprint()), "the same words under another alias are the same");
        run(&db).expect("again");
        assert_eq!(of_company("studio.test"), 1, "again changes nothing");
    }
}
