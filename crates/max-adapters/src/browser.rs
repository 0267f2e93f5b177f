//! Pictures of a mockup, taken by the Chromium of this machine.
//!
//! One run of the browser shows all pictures side by side on one sheet, which is then cut: starting it costs more than
//! everything else. It runs offline in a folder and profile of its own, with limits on time and output, and one at a
//! time; who finds it busy for long goes without pictures.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use max_engine::ports::File;
use tokio::sync::Semaphore;

use crate::program::{Program, RunError};

/// Where a Chromium is looked for. Nothing else is ever started as one.
const PROGRAMS: [&str; 5] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome-stable",
    "/usr/bin/google-chrome",
    "/snap/bin/chromium",
];

/// The first start after an installation reads some hundred megabytes.
const TIME_LIMIT: Duration = Duration::from_secs(60);
const OUTPUT_LIMIT: usize = 256 * 1024;
/// How long another run is waited for.
const PATIENCE: Duration = Duration::from_secs(8);
/// A sheet beyond this is none of ours.
const SHEET_AT_MOST: u64 = 32 * 1024 * 1024;
/// Between the pictures, so that nothing runs from one into the next.
const GAP: u32 = 16;
/// The window is this much taller than the sheet: some versions count a toolbar that is not there.
const TOOLBAR: u32 = 160;

/// A browser.
#[derive(Debug)]
pub struct Browser {
    program: PathBuf,
    one: Semaphore,
}

/// A picture to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    /// The screen's anchor.
    pub screen: String,
    /// The width of the window in CSS pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

impl Shot {
    /// The picture's file.
    fn name(&self) -> String {
        format!("stills/{}-{}.png", self.screen, self.width)
    }
}

/// Why there are no pictures.
#[derive(Debug, thiserror::Error)]
pub enum NoPictures {
    /// The folder for a run could not be used.
    #[error("the folder of the browser's run cannot be used: {0}")]
    Folder(#[from] std::io::Error),
    /// Others were before.
    #[error("the browser was busy for {PATIENCE:?}")]
    Busy,
    /// It did not do its work.
    #[error("the browser failed: {0}")]
    Run(String),
    /// What it left is no sheet of pictures.
    #[error("the browser's picture cannot be used: {0}")]
    Picture(String),
}

impl Browser {
    /// The Chromium of this machine, if there is one.
    pub fn find() -> Option<Self> {
        PROGRAMS.iter().map(PathBuf::from).find(|p| p.is_file()).map(Self::at)
    }

    fn at(program: PathBuf) -> Self {
        Self { program, one: Semaphore::new(1) }
    }

    /// Takes pictures of a page without a network.
    ///
    /// # Errors
    /// When the browser is busy, fails, or leaves something that is no picture.
    pub async fn stills(&self, html: &[u8], shots: &[Shot]) -> Result<Vec<File>, NoPictures> {
        let turn = tokio::time::timeout(PATIENCE, self.one.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(NoPictures::Busy) };
        let folder = tempfile::Builder::new().prefix("max-browser-").tempdir()?;
        let (width, height) = sheet_size(shots);
        std::fs::write(folder.path().join("mockup.html"), html)?;
        std::fs::write(folder.path().join("sheet.html"), sheet(shots))?;
        self.run(folder.path(), width, height).await?;
        let picture = folder.path().join("sheet.png");
        if std::fs::metadata(&picture)?.len() > SHEET_AT_MOST {
            return Err(NoPictures::Picture("it is too large".into()));
        }
        cut(&std::fs::read(picture)?, shots)
    }

    async fn run(&self, folder: &Path, width: u32, height: u32) -> Result<(), NoPictures> {
        let place = folder.display();
        let mut arguments: Vec<String> = [
            "--headless",
            "--disable-gpu",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            "--force-prefers-reduced-motion",
            // The picture is taken once every frame has been loaded and painted, however busy the machine is.
            "--run-all-compositor-stages-before-draw",
            "--virtual-time-budget=4000",
            // The page asks for nothing; should it, nobody answers.
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ]
        .map(str::to_owned)
        .into();
        // The browser's own sandbox refuses to work for root; then this process is in a container of its own.
        if rustix::process::geteuid().is_root() {
            arguments.push("--no-sandbox".into());
        }
        arguments.push(format!("--user-data-dir={place}/profile"));
        arguments.push(format!("--window-size={width},{}", height + TOOLBAR));
        arguments.push(format!("--screenshot={place}/sheet.png"));
        arguments.push(format!("file://{place}/sheet.html"));
        let program = Program {
            path: self.program.clone(),
            args: arguments,
            env_allow: Vec::new(),
            time_limit: TIME_LIMIT,
            output_limit: OUTPUT_LIMIT,
        };
        let home = [("HOME", place.to_string()), ("XDG_RUNTIME_DIR", place.to_string())];
        match program.run(folder, b"", &home).await {
            Ok(end) if end.status.success() => Ok(()),
            Ok(end) => {
                Err(NoPictures::Run(format!("{}: {}", end.status, end.stderr.chars().take(200).collect::<String>())))
            }
            Err(error @ (RunError::Start(_) | RunError::Timeout(_) | RunError::TooMuch(_))) => {
                Err(NoPictures::Run(error.to_string()))
            }
        }
    }
}

/// Each picture's window, side by side. Names of screens are anchors by rule; anything else is left out.
fn sheet(shots: &[Shot]) -> String {
    let mut html = String::from("<!doctype html><meta charset=utf-8><body style=\"margin:0;background:#fff\">");
    for (shot, left) in shots.iter().zip(lefts(shots)) {
        let anchor: String = shot.screen.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        html.push_str(&format!(
            "<iframe sandbox src=\"mockup.html#{anchor}\" style=\"position:absolute;top:0;left:{left}px;width:{}px;height:{}px;border:0\"></iframe>",
            shot.width, shot.height
        ));
    }
    html
}

/// Where each window begins.
fn lefts(shots: &[Shot]) -> impl Iterator<Item = u32> {
    shots.iter().scan(0, |next, shot| {
        let left = *next;
        *next += shot.width + GAP;
        Some(left)
    })
}

fn sheet_size(shots: &[Shot]) -> (u32, u32) {
    let width = shots.iter().map(|s| s.width + GAP).sum();
    (width, shots.iter().map(|s| s.height).max().unwrap_or(0))
}

/// Cuts the sheet into its pictures.
fn cut(sheet: &[u8], shots: &[Shot]) -> Result<Vec<File>, NoPictures> {
    let unusable = |what: String| NoPictures::Picture(what);
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(sheet), png::Limits { bytes: 64 * 1024 * 1024 });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|e| unusable(e.to_string()))?;
    let size = reader.output_buffer_size().ok_or_else(|| unusable("it is too large".into()))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(|e| unusable(e.to_string()))?;
    let (width, height) = sheet_size(shots);
    if info.width + GAP < width || info.height < height {
        return Err(unusable(format!("{} by {} pixels are too few", info.width, info.height)));
    }
    let depth = info.color_type.samples();
    let pictures = shots.iter().zip(lefts(shots)).map(|(shot, left)| {
        let (from, length) = (left as usize * depth, shot.width as usize * depth);
        let rows = pixels.chunks_exact(info.line_size).take(shot.height as usize);
        let mut picture = Vec::with_capacity(length * shot.height as usize);
        for row in rows {
            picture.extend_from_slice(row.get(from..from + length).ok_or_else(|| unusable("it is too narrow".into()))?);
        }
        let bytes = encode(&picture, shot, info.color_type).map_err(|e| unusable(e.to_string()))?;
        Ok(File { name: shot.name(), bytes })
    });
    pictures.collect()
}

fn encode(pixels: &[u8], shot: &Shot, colour: png::ColorType) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, shot.width, shot.height);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shots() -> Vec<Shot> {
        vec![
            Shot { screen: "home".into(), width: 30, height: 20 },
            Shot { screen: "s-1".into(), width: 12, height: 24 },
        ]
    }

    fn picture(width: u32, height: u32) -> Vec<u8> {
        let pixels: Vec<u8> = (0..width * height).flat_map(|i| [(i % width) as u8, (i / width) as u8, 7]).collect();
        encode(&pixels, &Shot { screen: String::new(), width, height }, png::ColorType::Rgb).expect("a picture")
    }

    #[test]
    fn a_sheet_is_cut_where_its_windows_are() {
        let files = cut(&picture(30 + 16 + 12 + 16, 24 + TOOLBAR), &shots()).expect("pictures");
        let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["stills/home-30.png", "stills/s-1-12.png"]);
        let mut reader = png::Decoder::new(Cursor::new(&files[1].bytes)).read_info().expect("a picture");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!((reader.info().width, reader.info().height), (12, 24));
        assert_eq!(pixels[..3], [46, 0, 7], "the second window begins after the first and the gap");
    }

    #[test]
    fn what_is_no_sheet_is_refused() {
        for bytes in [b"GIF89a".to_vec(), Vec::new(), picture(20, 20)] {
            assert!(matches!(cut(&bytes, &shots()), Err(NoPictures::Picture(_))));
        }
    }

    #[tokio::test]
    async fn a_browser_that_fails_is_an_answer() {
        let browser = Browser::at("/bin/false".into());
        let answer = browser.stills(b"<p>x", &shots()).await;
        assert!(matches!(answer, Err(NoPictures::Run(_))), "{answer:?}");
    }
}
