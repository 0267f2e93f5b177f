//! Pictures for places where the client's own will stand: quiet compositions in the mockup's colours.
//!
//! They are drawn, not loaded, so the file stays one file; each is marked as decoration.

/// Compositions over a field of 400 by 300; the classes take the palette's colours.
const MOTIFS: [&str; 6] = [
    // Hills under a sun.
    r#"<rect class="c" width="400" height="300"/><circle class="b" cx="286" cy="96" r="50"/><path class="e" d="M0 205c60-52 118-56 176-14s130 40 224-34v143H0z"/><path class="a" d="M0 244c74-58 150-40 214-8s122 22 186-16v80H0z"/><path class="d" d="M0 286c96-36 196-30 400-6v20H0z"/>"#,
    // Arches.
    r#"<rect class="e" width="400" height="300"/><path class="c" d="M60 300V168a100 100 0 0 1 200 0v132z"/><path class="a" d="M92 300V176a68 68 0 0 1 136 0v124z"/><path class="d" d="M124 300V184a36 36 0 0 1 72 0v116z"/><circle class="b" cx="316" cy="88" r="34"/><rect class="a" x="296" y="190" width="104" height="110"/><path class="c" d="M312 300v-60a32 32 0 0 1 64 0v60z"/>"#,
    // Things on a table.
    r#"<rect class="c" width="400" height="300"/><rect class="e" y="214" width="400" height="86"/><path class="a" d="M118 222c-34 0-46-28-38-62 6-26 22-34 22-60h40c0 26 16 34 22 60 8 34-4 62-46 62z"/><path class="sl" d="M122 100c-6-34-30-44-48-50M122 100c4-40 26-52 40-66M122 100V40"/><circle class="b" cx="74" cy="48" r="13"/><circle class="b" cx="164" cy="32" r="15"/><circle class="d" cx="122" cy="36" r="11"/><circle class="b" cx="262" cy="190" r="34"/><path class="d" d="M302 222a46 46 0 0 1 76 0z"/>"#,
    // Quarters of circles.
    r#"<rect class="c" width="400" height="300"/><path class="a" d="M0 0h100v100A100 100 0 0 1 0 0z"/><path class="b" d="M100 100h100a100 100 0 0 1-100 100z"/><path class="e" d="M200 0a100 100 0 0 1 100 100H200z"/><path class="d" d="M300 100h100v100a100 100 0 0 1-100-100z"/><path class="e" d="M0 200a100 100 0 0 1 100 100H0z"/><circle class="a" cx="250" cy="250" r="50"/><path class="b" d="M400 200v100H300a100 100 0 0 1 100-100z"/><circle class="d" cx="50" cy="150" r="26"/>"#,
    // Leaves.
    r#"<rect class="e" width="400" height="300"/><circle class="c" cx="236" cy="140" r="118"/><path class="sl" d="M210 300C204 220 214 130 250 52"/><path class="a" d="M214 214c-58 4-96-22-112-64 52-6 96 12 112 64z"/><path class="d" d="M218 186c48-4 88-30 102-74-52 0-90 24-102 74z"/><path class="a" d="M228 128c-40-6-66-34-70-74 42 8 68 34 70 74z"/><path class="b" d="M240 104c34-8 56-34 58-68-38 6-58 30-58 68z"/>"#,
    // Waves.
    r#"<rect class="c" width="400" height="300"/><circle class="b" cx="118" cy="110" r="62"/><path class="e" d="M0 150q50-44 100 0t100 0 100 0 100 0v150H0z"/><path class="a" d="M0 196q50-44 100 0t100 0 100 0 100 0v104H0z"/><path class="d" d="M0 244q50-40 100 0t100 0 100 0 100 0v56H0z"/>"#,
];

/// Pictures in an order that is the client's own; every second round is mirrored.
pub fn pictures(seed: u8) -> Vec<String> {
    let first = usize::from(seed);
    let order = (0..MOTIFS.len() * 2).map(|i| (MOTIFS[(first + i) % MOTIFS.len()], i >= MOTIFS.len()));
    order
        .map(|(motif, mirrored)| {
            let (open, close) = if mirrored { (r#"<g transform="matrix(-1 0 0 1 400 0)">"#, "</g>") } else { ("", "") };
            format!(
                r#"<svg viewBox="0 0 400 300" preserveAspectRatio="xMidYMid slice" aria-hidden="true">{open}{motif}{close}</svg>"#
            )
        })
        .collect()
}
