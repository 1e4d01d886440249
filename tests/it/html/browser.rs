//! What Chromium makes of the page: that it shows, that nothing in it runs, that it can be read on a
//! telephone, in the dark, on paper and with a keyboard.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::made::{HOSTILE, write_everything};
use crate::support::project;

/// The browser, if there is one.
fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|run| run.status.success())
    });
    if found.is_none() {
        println!("skipped: no chromium");
    }
    found
}

/// Runs it on a file; what it printed, and what its console said.
fn browse(browser: &str, folder: &Path, file: &Path, options: &[&str]) -> (String, Vec<String>) {
    let profile = folder.join("profile");
    let run = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--enable-logging=stderr", "--v=0", "--window-size=1400,1000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(options)
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let console = said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned);
    (String::from_utf8_lossy(&run.stdout).into_owned(), console.collect())
}

/// Puts a page into the harness and says what it found, and what the console said.
fn look(
    browser: &str,
    folder: &Path,
    page: &str,
    width: u32,
    options: &[&str],
) -> (Value, Vec<String>) {
    let harness = fs::read_to_string(project("tests/data/html/harness.html")).unwrap();
    let quoted = page.replace('&', "&amp;").replace('"', "&quot;");
    let file = folder.join("harness.html");
    let filled = harness.replacen("WIDTH\" h", &format!("{width}\" h"), 1);
    fs::write(&file, filled.replacen("\"PAGE\"", &format!("\"{quoted}\""), 1)).unwrap();
    let mut all = vec!["--dump-dom", "--virtual-time-budget=5000"];
    all.extend(options);
    let (dom, console) = browse(browser, folder, &file, &all);
    let result = dom.rsplit("<pre id=\"result\">").next().unwrap().split("</pre>").next().unwrap();
    let result = result.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    (
        serde_json::from_str(&result).unwrap_or_else(|error| panic!("{error}: {result:.300}")),
        console,
    )
}

#[test]
fn it_opens_wide_narrow_and_dark_without_a_script_running() {
    let Some(browser) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    for name in [HOSTILE, "pc-042.corp.example"] {
        write_everything(&path, name);
        let page = fs::read_to_string(&path).unwrap();
        let dark = "--blink-settings=preferredColorScheme=0";
        let light = "--blink-settings=preferredColorScheme=1";
        let mut inks = Vec::new();
        for (width, scheme) in [(1280, light), (390, light), (390, dark)] {
            let (found, console) = look(browser, folder.path(), &page, width, &[scheme]);
            let what = format!("{width} {scheme}: {found:#}");
            assert_eq!(console, [""; 0], "{what}");
            assert!(
                found["title"]
                    .as_str()
                    .unwrap()
                    .starts_with("Who asked? 1 client behind the alerts"),
                "{what}"
            );
            assert_eq!(found["owned"], false, "{what}");
            assert_eq!(found["quirks"], "CSS1Compat");
            assert_ne!(found["styled"], "none", "the style is heeded: {what}");
            assert_eq!(found["language"], "en");
            assert!(found["overflow"].as_i64().unwrap() <= 0, "{what}");
            for empty in ["scripted", "outside", "faint", "unreachable", "landmarks"] {
                assert_eq!(found[empty].as_array().map(Vec::len), Some(0), "{empty} in {what}");
            }
            for none in ["jumps", "outlines", "unnamed", "headless", "labels"] {
                assert_eq!(found[none], 0, "{none} in {what}");
            }
            assert!(found["stops"].as_u64().unwrap() > 20, "{what}");
            assert_eq!(found["levels"].as_array().unwrap().iter().filter(|l| **l == 1).count(), 1);
            assert_eq!(found["cards"][0], "192.168.2.42", "{what}");
            inks.push(found["ink"].to_string());
        }
        assert!(inks[0] == inks[1] && inks[1] != inks[2], "dark is another: {inks:?}");
    }
}

#[test]
fn what_is_looked_for_would_be_found() {
    let Some(browser) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    write_everything(&path, "pc-042.corp.example");
    let page = fs::read_to_string(&path).unwrap();
    // Without escaping, the policy still stops the script, and the console says so.
    let unescaped = page.replace("pc-042.corp.example", HOSTILE).replace('\0', "");
    let (found, console) = look(browser, folder.path(), &unescaped, 390, &[]);
    assert_eq!(found["owned"], false, "{found:#}");
    assert!(!found["scripted"].as_array().unwrap().is_empty(), "{found:#}");
    assert!(console.iter().any(|line| line.contains("Content Security Policy")), "{console:?}");
    // Without the policy too, it runs.
    let bare = unescaped.replace("Content-Security-Policy", "X-None");
    let (found, _) = look(browser, folder.path(), &bare, 390, &[]);
    assert_eq!(found["owned"], true, "{found:#}");
    // Another style than the one whose hash the policy names is refused.
    let restyled = page.replace("</style>", " </style>");
    let (found, console) = look(browser, folder.path(), &restyled, 390, &[]);
    assert_eq!(found["styled"], "none", "{found:#}");
    assert!(!console.is_empty());
}

#[test]
fn it_opens_from_a_file_as_an_attachment_does_and_prints() {
    let Some(browser) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    write_everything(&path, HOSTILE);
    let (dom, console) = browse(browser, folder.path(), &path, &["--dump-dom"]);
    assert_eq!(console, [""; 0]);
    assert!(dom.contains("<h1>At the alerts' times: act on 192.168.2.42 ("), "{dom}");
    assert!(dom.contains("<title>Who asked? 1 client behind the alerts"));
    let paper = folder.path().join("page.pdf");
    let print = format!("--print-to-pdf={}", paper.display());
    let (_, console) = browse(browser, folder.path(), &path, &[&print, "--no-pdf-header-footer"]);
    assert_eq!(console, [""; 0]);
    assert!(fs::read(&paper).unwrap().starts_with(b"%PDF-"));
}
