//! The scenarios that come with MAX; `max simulate NAME` plays them without a file.

/// Name and text of each. The files stand in `crates/max/scenarios/`.
pub const SHIPPED: [(&str, &str); 20] = [
    ("good-fit-en", include_str!("../../scenarios/good-fit-en.yaml")),
    ("good-fit-de", include_str!("../../scenarios/good-fit-de.yaml")),
    ("good-fit-nl", include_str!("../../scenarios/good-fit-nl.yaml")),
    ("good-fit-fr", include_str!("../../scenarios/good-fit-fr.yaml")),
    ("not-a-fit", include_str!("../../scenarios/not-a-fit.yaml")),
    ("silent-client", include_str!("../../scenarios/silent-client.yaml")),
    ("silent-after-offer", include_str!("../../scenarios/silent-after-offer.yaml")),
    ("returning-client", include_str!("../../scenarios/returning-client.yaml")),
    ("scope-rejected-once", include_str!("../../scenarios/scope-rejected-once.yaml")),
    ("take-over", include_str!("../../scenarios/take-over.yaml")),
    ("spam", include_str!("../../scenarios/spam.yaml")),
    ("scope-creep", include_str!("../../scenarios/scope-creep.yaml")),
    ("angry-client", include_str!("../../scenarios/angry-client.yaml")),
    ("haggler", include_str!("../../scenarios/haggler.yaml")),
    ("defect-report", include_str!("../../scenarios/defect-report.yaml")),
    ("slow-sign-off", include_str!("../../scenarios/slow-sign-off.yaml")),
    ("spam-twin", include_str!("../../scenarios/spam-twin.yaml")),
    ("duplicate-three-channels", include_str!("../../scenarios/duplicate-three-channels.yaml")),
    ("erasure-look-alike", include_str!("../../scenarios/erasure-look-alike.yaml")),
    ("prompt-injection", include_str!("../../scenarios/prompt-injection.yaml")),
];
