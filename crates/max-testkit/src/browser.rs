//! Pages in a real browser at three widths, looked at by a script that runs inside of them.
//!
//! Needs a Chromium and axe-core's `axe.min.js`, which `./test` puts into its cache and names in `MAX_TEST_AXE`. Each page
//! is loaded in a frame of its own, one after another; nobody answers a request for anything.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A phone, a tablet and a computer, in pixels.
pub const WIDTHS: [u32; 3] = [360, 768, 1280];

/// What is said of a page at one width by [`Browser::look`].
const LOOK: &str = include_str!("browser/look.js");

/// A browser with axe at hand.
#[derive(Clone, Debug)]
pub struct Browser {
    chromium: PathBuf,
    axe: PathBuf,
}

/// A page to look at.
#[derive(Clone, Debug)]
pub struct Page {
    /// How reports call it.
    pub name: String,
    /// The whole file; what it loads does not exist.
    pub html: String,
    /// The place it is opened at, without `#`; empty for its beginning.
    pub anchor: String,
}

impl Page {
    /// A page opened at its beginning.
    pub fn new(name: impl Into<String>, html: impl Into<String>) -> Self {
        Self { name: name.into(), html: html.into(), anchor: String::new() }
    }

    /// The same, opened at a place.
    #[must_use]
    pub fn at(self, anchor: impl Into<String>) -> Self {
        Self { anchor: anchor.into(), ..self }
    }
}

impl Browser {
    /// The browser of this machine. Without one a test is left out, aloud; where `CI` is `true` that is a failure.
    ///
    /// # Panics
    /// When `CI=true` and something is missing.
    pub fn find() -> Option<Self> {
        let programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        let chromium = programs.map(PathBuf::from).into_iter().find(|p| p.is_file());
        let axe = std::env::var_os("MAX_TEST_AXE").map(PathBuf::from).filter(|p| p.is_file());
        let found = chromium.zip(axe).map(|(chromium, axe)| Self { chromium, axe });
        if found.is_none() {
            let what = "a Chromium or axe-core (MAX_TEST_AXE)";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{what} is missing");
            eprintln!("left out: {what} is missing");
        }
        found
    }

    /// Everything that is wrong with pages at [`WIDTHS`], a sentence each: what axe objects to by WCAG 2.2 A and AA, what
    /// has to be scrolled sideways, what was asked of somebody outside, and what could not be looked at.
    ///
    /// # Panics
    /// When the browser does not run.
    pub fn look(&self, pages: &[Page]) -> Vec<String> {
        let reports = self.run(pages, LOOK);
        let mut wrong: Vec<String> = Vec::new();
        for page in pages {
            let seen = reports.iter().filter(|r| r["name"] == page.name.as_str()).count();
            if seen != WIDTHS.len() {
                wrong.push(format!("{}: looked at {seen} times instead of {}", page.name, WIDTHS.len()));
            }
        }
        for report in &reports {
            let findings = report["wrong"].as_array().into_iter().flatten();
            let (name, width) = (report["name"].as_str().unwrap_or_default(), &report["width"]);
            wrong.extend(findings.map(|what| format!("{name} at {width} px: {}", what.as_str().unwrap_or_default())));
        }
        wrong
    }

    /// Runs a script in each page at each width. The script finds `axe` there and `report` with the page's name and its
    /// width; when it is done it sends the report to the page around: `parent.postMessage(report, "*")`.
    ///
    /// # Panics
    /// When the browser does not run or a report is no JSON.
    pub fn run(&self, pages: &[Page], script: &str) -> Vec<Value> {
        let folder = std::env::temp_dir().join(format!("max-test-browser-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).expect("a folder");
        self.prepare(&folder, pages, script);
        let reports = self.reports(&folder);
        std::fs::remove_dir_all(&folder).expect("the folder is removed");
        reports
    }

    /// The pages with the script in them, and a page around them that shows one after another and keeps the reports.
    fn prepare(&self, folder: &Path, pages: &[Page], script: &str) {
        let mut frames: Vec<Value> = Vec::new();
        for (number, page) in pages.iter().enumerate() {
            let file = format!("page-{number}.html");
            std::fs::write(folder.join(&file), with_scripts(page)).expect("a page");
            frames.extend(WIDTHS.map(|width| serde_json::json!([format!("{file}#{}", page.anchor), width])));
        }
        std::fs::write(folder.join("look.js"), script).expect("a script");
        std::fs::copy(&self.axe, folder.join("axe.min.js")).expect("axe");
        let around = include_str!("browser/around.html").replace("FRAMES", &Value::from(frames).to_string());
        std::fs::write(folder.join("around.html"), around).expect("a page");
    }

    fn reports(&self, folder: &Path) -> Vec<Value> {
        let place = folder.display();
        let output = Command::new(&self.chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
            .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--force-prefers-reduced-motion", "--hide-scrollbars"])
            .args(["--virtual-time-budget=3000000", "--window-size=1400,1000", "--dump-dom"])
            .arg(format!("--user-data-dir={place}/profile"))
            .arg(format!("file://{place}/around.html"))
            .env("HOME", folder)
            .output()
            .expect("the browser runs");
        let dom = String::from_utf8_lossy(&output.stdout);
        let json = dom.split_once("<pre id=\"report\">").and_then(|(_, rest)| rest.split_once("</pre>"));
        let json = json.map(|(json, _)| json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
        let json = json.unwrap_or_else(|| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
    }
}

/// The page without its own policy, which would keep the test's scripts out, and with them.
fn with_scripts(page: &Page) -> String {
    let own = "<meta http-equiv=\"Content-Security-Policy\"";
    let mut html = page.html.clone();
    if let Some(at) = html.find(own) {
        let end = at + html[at..].find('>').map_or(html.len() - at, |end| end + 1);
        html.replace_range(at..end, "");
    }
    let name = serde_json::to_string(&page.name).expect("a name");
    let scripts = format!(
        "<script>const report={{name:{name},width:innerWidth}}</script><script src=\"axe.min.js\"></script>\
         <script src=\"look.js\"></script></body>"
    );
    let (before, after) = html.rsplit_once("</body>").expect("a page with a body");
    format!("{before}{scripts}{after}")
}
