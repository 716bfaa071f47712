//! `isobar init`: modules from local git repositories and archives, the lock file, what is refused.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Folder, Run};

const LOCK: &str = ".isobar.lock.hcl";

/// A module that calls another one of its package.
const NETWORK: &[(&str, &str)] = &[
    (
        "main.hcl",
        "module \"inner\" {\n  source = \"./sub\"\n}\noutput \"value\" {\n  value = module.inner.value\n}\n",
    ),
    ("sub/main.hcl", "output \"value\" {\n  value = \"one\"\n}\n"),
];

/// A folder for a configuration, `app`, beside the modules that it calls.
struct Bench(Folder);

impl Bench {
    fn new() -> Self {
        let bench = Self(Folder::new(&[]));
        fs::create_dir(bench.path("app")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// Writes a file, with the folders around it.
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The root calls these sources, under the names a, b, …
    fn call(&self, sources: &[&str]) {
        let mut text = String::new();
        for (name, source) in ('a'..).zip(sources) {
            text.push_str(&format!(
                "module \"{name}\" {{\n  source = \"{source}\"\n}}\noutput \"{name}\" {{\n  value = module.{name}.value\n}}\n"
            ));
        }
        self.write("app/main.hcl", &text);
    }

    fn git(&self, repository: &str, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.path(repository)).args(arguments);
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
            ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
        ] {
            command.env(name, value);
        }
        for name in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{name}_NAME"), "a");
            command.env(format!("GIT_{name}_EMAIL"), "a@example.org");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A repository with these files, tagged v1; its source.
    fn repository(&self, name: &str, files: &[(&str, &str)]) -> String {
        fs::create_dir_all(self.path(name)).unwrap();
        self.git(name, &["init", "--quiet", "--initial-branch=main"]);
        self.commit(name, files, "v1");
        format!("git::file://{}", self.path(name).display())
    }

    fn commit(&self, name: &str, files: &[(&str, &str)], tag: &str) {
        for (file, text) in files {
            self.write(&format!("{name}/{file}"), text);
        }
        self.git(name, &["add", "--all"]);
        self.git(name, &["commit", "--quiet", "--allow-empty", "-m", tag]);
        self.git(name, &["tag", tag]);
    }

    /// Packs a folder into an archive.
    fn pack(&self, program: &str, arguments: &[&str], folder: &str) {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path(folder));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn program(&self, path: &str, arguments: &[&str]) -> Run {
        let mut program = self.0.program(arguments);
        program.current_dir(self.path("app")).env("PATH", path);
        // Wide enough that no path of a temporary folder is broken into lines.
        program
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("COLUMNS", "400");
        Run::of(&program.output().unwrap())
    }

    /// Runs the program with the tools of this machine.
    fn run(&self, arguments: &[&str]) -> Run {
        self.program(env!("PATH"), arguments)
    }

    fn installed(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("app/.isobar/modules"));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !matches!(name.as_str(), ".lock" | "modules.json"))
            .collect();
        names.sort();
        names
    }

    /// A text without what differs from run to run and from machine to machine.
    fn stable(&self, text: &str) -> String {
        let text = text.replace(&self.path("").display().to_string(), "[dir]/");
        let line = |line: &str| match line.split_once(" says: ") {
            Some((before, _)) => format!("{before} says: …"),
            None if line.contains("^^") => line.split('^').next().unwrap().to_owned() + "^…",
            None => line.to_owned(),
        };
        text.lines().map(|one| line(one) + "\n").collect()
    }
}

fn outputs(run: &Run) -> Vec<&str> {
    let lines = run.ended(0).lines();
    lines
        .filter(|line| line.contains("+ "))
        .map(str::trim)
        .collect()
}

#[test]
fn modules_come_from_everywhere() {
    let bench = Bench::new();
    let git = bench.repository("network", NETWORK);
    bench.pack(
        "tar",
        &["-czf", "../app/a.tar.gz", "main.hcl", "sub"],
        "network",
    );
    bench.pack(
        "tar",
        &["-cjf", "../app/a.tbz2", "main.hcl", "sub"],
        "network",
    );
    bench.pack(
        "tar",
        &["-cJf", "../a.tar.xz", "main.hcl", "sub"],
        "network",
    );
    bench.pack(
        "zip",
        &["-qr", "../app/a.zip", "main.hcl", "sub"],
        "network",
    );
    let sources = [
        &*format!("{git}?ref=v1"),
        &format!("{git}//sub?ref=main&depth=1"),
        "./a.tar.gz",
        "./a.tbz2",
        "../a.tar.xz//sub",
        "./a.zip",
    ];
    bench.call(&sources);
    bench
        .run(&["plan"])
        .failed_with(&["L0020", "Run isobar init"]);
    let run = bench.run(&["init"]);
    run.ended(0);
    // The same content under the same name lies there once.
    assert_eq!(bench.installed().len(), 2, "{:?}", bench.installed());
    insta::assert_snapshot!(
        "lock_file",
        bench.stable(&bench.read(&format!("app/{LOCK}")))
    );
    insta::assert_snapshot!(
        "init",
        bench.stable(&format!("{}---\n{}", run.err, run.out))
    );
    assert_eq!(outputs(&bench.run(&["plan"])).len(), sources.len());

    // Again: nothing is fetched, nothing is written.
    let lock = fs::metadata(bench.path(&format!("app/{LOCK}"))).unwrap();
    fs::rename(bench.path("network"), bench.path("gone")).unwrap();
    bench
        .run(&["init", "-lockfile=readonly", "-input=false"])
        .ended(0);
    let again = fs::metadata(bench.path(&format!("app/{LOCK}"))).unwrap();
    assert_eq!(lock.modified().unwrap(), again.modified().unwrap());
}

#[test]
fn modules_of_modules_are_installed() {
    let bench = Bench::new();
    let inner = bench.repository(
        "inner",
        &[("main.hcl", "output \"value\" {\n  value = 7\n}\n")],
    );
    let text = format!(
        "module \"in\" {{\n  source = \"{inner}?ref=v1\"\n}}\noutput \"value\" {{\n  value = module.in.value\n}}\n"
    );
    let outer = bench.repository("outer", &[("deep/main.hcl", &text)]);
    bench.call(&[&format!("{outer}//deep")]);
    bench.run(&["init"]).ended(0);
    assert_eq!(outputs(&bench.run(&["plan"])), ["+ a = 7"]);
    let index = bench.read("app/.isobar/modules/modules.json");
    assert_eq!(index.matches("\"folder\"").count(), 2);
    // What is no longer called is removed.
    bench.call(&[&inner]);
    bench.run(&["init"]).ended(0);
    assert_eq!(
        bench
            .read(&format!("app/{LOCK}"))
            .matches("module ")
            .count(),
        1
    );
    assert_eq!(bench.installed().len(), 1);
}

#[test]
fn what_was_locked_is_what_is_installed() {
    let bench = Bench::new();
    let git = bench.repository("r", &[("main.hcl", "output \"value\" {\n  value = 1\n}\n")]);
    for depth in ["", "&depth=1"] {
        let _fresh = fs::remove_file(bench.path(&format!("app/{LOCK}")));
        let _fresh = fs::remove_dir_all(bench.path("app/.isobar"));
        bench.call(&[&format!("{git}?ref=main{depth}")]);
        bench.run(&["init"]).ended(0);
        let before = bench.read(&format!("app/{LOCK}"));
        let plan = bench.run(&["plan"]);
        let seen = outputs(&plan).join("");
        let next = format!(
            "output \"value\" {{\n  value = \"{}\"\n}}\n",
            before.len() + depth.len()
        );
        bench.commit("r", &[("main.hcl", &next)], &format!("t{}", depth.len()));
        // Another machine with the same lock file: the branch has moved, the commit has not.
        fs::remove_dir_all(bench.path("app/.isobar")).unwrap();
        bench.run(&["init"]).ended(0);
        assert_eq!(bench.read(&format!("app/{LOCK}")), before);
        assert_eq!(outputs(&bench.run(&["plan"])).join(""), seen);
        let run = bench.run(&["init", "-upgrade"]);
        run.ended(0);
        assert!(run.err.contains("has changed from commit"), "{}", run.err);
        assert_ne!(bench.read(&format!("app/{LOCK}")), before);
        assert_ne!(outputs(&bench.run(&["plan"])).join(""), seen);
    }
}

#[test]
fn changes_are_noticed() {
    let bench = Bench::new();
    bench.write("m/main.hcl", "output \"value\" {\n  value = 1\n}\n");
    bench.pack("tar", &["-cf", "../app/m.tar", "main.hcl"], "m");
    bench.call(&["./m.tar"]);
    bench.run(&["init"]).ended(0);
    let lock = bench.read(&format!("app/{LOCK}"));
    let file = format!("app/.isobar/modules/{}/main.hcl", bench.installed()[0]);

    // Someone has edited what is installed.
    bench.write(&file, "output \"value\" {\n  value = 2\n}\n");
    let run = bench.run(&["plan"]);
    run.failed_with(&["M0006", "on main.hcl line 2", "Run isobar init"]);
    bench.run(&["init"]).ended(0);
    assert_eq!(outputs(&bench.run(&["plan"])), ["+ a = 1"]);

    // What it comes from has changed.
    bench.write("m/main.hcl", "output \"value\" {\n  value = 3\n}\n");
    bench.pack("tar", &["-cf", "../app/m.tar", "main.hcl"], "m");
    fs::remove_dir_all(bench.path("app/.isobar")).unwrap();
    let run = bench.run(&["init"]);
    run.failed_with(&["M0006", "init -upgrade"]);
    insta::assert_snapshot!("differs", bench.stable(&run.err));
    assert_eq!(bench.installed(), Vec::<String>::new());
    assert_eq!(bench.read(&format!("app/{LOCK}")), lock);
    bench
        .run(&["init", "-upgrade", "-lockfile=readonly"])
        .failed_with(&["M0008"]);
    assert_eq!(bench.read(&format!("app/{LOCK}")), lock);
    bench.run(&["init", "-upgrade"]).ended(0);
    assert_eq!(outputs(&bench.run(&["plan"])), ["+ a = 3"]);

    // The lock file is lost, broken, or was never there.
    fs::remove_file(bench.path(&format!("app/{LOCK}"))).unwrap();
    bench.run(&["plan"]).failed_with(&["M0009"]);
    bench.write(&format!("app/{LOCK}"), "module {");
    bench.run(&["plan"]).failed_with(&["L0002", LOCK]);
    bench.run(&["init"]).failed_with(&["L0002", LOCK]);
    fs::remove_file(bench.path(&format!("app/{LOCK}"))).unwrap();
    bench
        .run(&["init", "-lockfile=readonly"])
        .failed_with(&["M0008"]);
    bench.run(&["init"]).ended(0);
    bench.run(&["plan"]).ended(0);
}

#[test]
fn nothing_half_installed_stays() {
    let bench = Bench::new();
    let git = bench.repository("r", NETWORK);
    bench.call(&[&git]);
    // What a killed run has left behind.
    bench.write("app/.isobar/modules/.new-x/package/main.hcl", "x");
    bench.write("app/.isobar/modules/r-0000000000000000/main.hcl", "x");
    bench.run(&["plan"]).failed_with(&["L0020"]);
    bench.call(&[&git, "./missing.zip"]);
    bench.run(&["init"]).failed_with(&["M0002", "missing.zip"]);
    assert_eq!(bench.installed(), Vec::<String>::new());
    assert!(!bench.path(&format!("app/{LOCK}")).exists());
    bench.call(&[&git]);
    bench.run(&["init", "-get=false"]).failed_with(&["L0020"]);
    bench.run(&["init"]).ended(0);
    assert_eq!(bench.installed().len(), 1);
    bench.run(&["init", "-get=false"]).ended(0);
}

/// Sources with the code and a word of what is said about them.
const REFUSED: &[(&str, &str, &str)] = &[
    ("ext::sh -c id", "L0024", "git::https://"),
    ("git::ext::sh -c id", "L0024", "\"ext\""),
    ("git::-c", "L0024", "neither"),
    ("git::ssh://-oProxyCommand=id/r", "L0024", "neither"),
    ("--upload-pack=id", "L0024", "neither"),
    ("git::https://example.org/r//../x", "L0024", "leads out"),
    ("./x.zip//../../x", "L0024", "leads out"),
    ("org/network/aws", "L0024", "registry"),
    ("https://example.org/module", "L0024", "?archive=zip"),
    ("[r]?ref=nothing", "M0003", "\"nothing\""),
    ("[r]?ref=v11", "M0003", "Did you mean \"v1\"?"),
    ("[r]?ref=nothing&depth=1", "M0003", "\"nothing\""),
    ("[r]?ref=--help", "L0024", "\"ref\""),
    ("[r]//nowhere", "L0022", "nowhere"),
    ("git::file:///nowhere/at/all", "M0002", "git says"),
    ("./text.zip", "M0004", "unzip"),
    ("./text.tar.gz", "M0004", "tar"),
    ("./up.tar", "M0005", "../up/x"),
    ("./link.tar", "M0005", "/etc"),
    (
        "./good.tar?checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "M0006",
        "checksum",
    ),
    ("http://127.0.0.1:1/a.zip", "M0002", "curl"),
    (
        "http://me:hunter2@127.0.0.1:1/a.zip?token=hunter3",
        "M0002",
        "***",
    ),
    ("git::http://me:hunter2@127.0.0.1:1/r", "M0002", "***"),
    ("[escape]", "L0024", "leads out"),
    ("[escape]//file", "L0024", "leads out"),
    ("[escape]//absolute", "L0024", "leads out"),
];

#[test]
fn what_cannot_be_a_module_is_refused() {
    let bench = Bench::new();
    let repository = bench.repository("r", NETWORK);
    let escape = bench.repository(
        "escape",
        &[
            (
                "main.hcl",
                "module \"x\" {\n  source = \"../../../secret\"\n}\n",
            ),
            (
                "file/main.hcl",
                "module \"x\" {\n  source = \"../../../../good.tar\"\n}\n",
            ),
            (
                "absolute/main.hcl",
                "module \"x\" {\n  source = \"/etc\"\n}\n",
            ),
        ],
    );
    bench.write("app/secret/main.hcl", "");
    bench.write("app/text.zip", "no archive");
    bench.write("app/text.tar.gz", "no archive");
    bench.write("up/x", "1");
    bench.write("m/main.hcl", "");
    bench.pack("tar", &["-cPf", "../app/up.tar", "../up/x"], "up");
    let same = [
        "--mtime=2026-01-01Z",
        "--owner=0",
        "--group=0",
        "--mode=644",
    ];
    let packed = ["--numeric-owner", "-cf", "../app/good.tar", "main.hcl"];
    bench.pack("tar", &[&same[..], &packed[..]].concat(), "m");
    symlink("/etc", bench.path("m/link")).unwrap();
    bench.pack("tar", &["-cf", "../app/link.tar", "link"], "m");
    let mut all = String::new();
    for (source, code, word) in REFUSED {
        let source = source
            .replace("[r]", &repository)
            .replace("[escape]", &escape);
        bench.call(&[&source]);
        let run = bench.run(&["init"]);
        run.ended(1);
        assert!(
            run.err.contains(code) && run.err.contains(word),
            "{source}: {}",
            run.err
        );
        assert!(!run.err.contains("hunter"), "{}", run.err);
        assert_eq!(bench.installed(), Vec::<String>::new(), "{source}");
        assert!(!bench.path(&format!("app/{LOCK}")).exists());
        all.push_str(&bench.stable(&run.err));
    }
    assert!(!bench.path("app/up").exists() && bench.path("up/x").exists());
    insta::assert_snapshot!("refused", all);
}

#[test]
fn a_missing_program_is_named() {
    let bench = Bench::new();
    let git = bench.repository("r", NETWORK);
    bench.write("app/a.zip", "");
    bench.write("app/a.txz", "");
    bench.call(&[&git, "./a.zip", "./a.txz", "http://127.0.0.1:1/a.zip"]);
    fs::create_dir(bench.path("bin")).unwrap();
    let tar = Path::new("/usr/bin/tar");
    symlink(tar, bench.path("bin/tar")).unwrap();
    let run = bench.program(bench.path("bin").to_str().unwrap(), &["init"]);
    for package in ["git", "unzip", "xz-utils", "curl"] {
        run.failed_with(&["M0001", &format!("the package is called {package}.")]);
    }
}

#[test]
fn credentials_are_not_written_down() {
    let bench = Bench::new();
    bench.call(&["git::https://me:hunter2@localhost:1/r.git"]);
    let run = bench.run(&["plan"]);
    run.failed_with(&["L0020", "https://***@localhost:1/r.git"]);
    assert!(!run.err.contains("hunter2"), "{}", run.err);
}

#[test]
fn the_rest_of_the_configuration_is_checked() {
    let bench = Bench::new();
    bench.write(
        "app/main.hcl",
        "isobar {\n  required_version = \">= 99\"\n}\nprovider \"nimbus\" {}\n",
    );
    bench.run(&["init"]).failed_with(&["L0014"]);
    bench.write("app/main.hcl", "provider \"locl\" {}\n");
    bench
        .run(&["init"])
        .failed_with(&["P0013", "Did you mean \"local\"?"]);
    bench.write(
        "app/main.hcl",
        "module \"a\" {\n  source  = \"./m.zip\"\n  version = \"1\"\n}\n",
    );
    bench.run(&["init"]).failed_with(&["L0025"]);
    bench.write("app/main.hcl", "locals {\n");
    bench.run(&["init"]).failed_with(&["L0002"]);
    fs::remove_file(bench.path("app/main.hcl")).unwrap();
    assert!(bench.run(&["init"]).ended(0).contains("no configuration"));
}

#[test]
fn nothing_is_needed_where_nothing_comes_from_elsewhere() {
    let folder = Folder::new(&[("main.hcl", "locals {\n  a = 1\n}\n")]);
    let run = folder.run(&["init"]);
    assert!(run.ended(0).contains("isobar plan"));
    assert!(!folder.path(".isobar").exists());
    assert!(!folder.path(LOCK).exists());
    let run = Run::of(
        &folder
            .program(&["init"])
            .env("ISOBAR_IN_AUTOMATION", "1")
            .output()
            .unwrap(),
    );
    assert_eq!(run.ended(0), "The configuration is ready.\n");
}

/// Answers requests for `/NAME`: `moved` leads to `m.tgz`, which is the archive.
fn serve(archive: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while !request.ends_with("\r\n\r\n") && reader.read_line(&mut request).unwrap() > 0 {}
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            let (status, header, body): (_, _, &[u8]) = match path.as_str() {
                "/moved.tgz" => ("302 Found", "Location: /m.tgz\r\n", b""),
                "/m.tgz" if request.contains("Authorization: Basic bWU6aHVudGVyMg==") => {
                    ("200 OK", "", &archive)
                }
                "/m.tgz" => ("401 Unauthorized", "", b""),
                "/out.tgz" => ("302 Found", "Location: file:///etc/passwd\r\n", b""),
                _ => ("404 Not Found", "", b""),
            };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            stream.write_all(body).unwrap();
        }
    });
    port
}

#[test]
fn archives_come_over_the_network() {
    let bench = Bench::new();
    bench.write("m/main.hcl", "output \"value\" {\n  value = 4\n}\n");
    bench.pack("tar", &["-czf", "../m.tgz", "main.hcl"], "m");
    let port = serve(fs::read(bench.path("m.tgz")).unwrap());
    bench.call(&[&format!("http://me:hunter2@127.0.0.1:{port}/moved.tgz")]);
    bench.run(&["init"]).ended(0);
    assert_eq!(outputs(&bench.run(&["plan"])), ["+ a = 4"]);
    let lock = bench.read(&format!("app/{LOCK}"));
    assert!(
        lock.contains(&format!("http://***@127.0.0.1:{port}/moved.tgz")),
        "{lock}"
    );
    for (path, word) in [("m.tgz", "401"), ("none.tgz", "404"), ("out.tgz", "file")] {
        bench.call(&[&format!("http://127.0.0.1:{port}/{path}")]);
        bench.run(&["init"]).failed_with(&["M0002", word]);
    }
}

#[test]
fn a_module_can_be_begun_with() {
    let bench = Bench::new();
    let git = bench.repository("r", NETWORK);
    bench
        .run(&["init", &format!("-from-module={git}")])
        .ended(0);
    assert_eq!(bench.read("app/sub/main.hcl"), NETWORK[1].1);
    assert!(!bench.path("app/.git").exists());
    assert_eq!(outputs(&bench.run(&["plan"])), ["+ value = \"one\""]);
    bench
        .run(&["init", "-from-module=../r"])
        .failed_with(&["M0011"]);
    fs::remove_dir_all(bench.path("app")).unwrap();
    fs::create_dir(bench.path("app")).unwrap();
    bench
        .run(&["init", "-from-module=../nowhere"])
        .failed_with(&["M0010"]);
    bench.run(&["init", "-from-module=../r"]).ended(0);
    assert_eq!(bench.read("app/main.hcl"), NETWORK[0].1);
}

#[test]
fn programs_can_follow() {
    let bench = Bench::new();
    let git = bench.repository("r", NETWORK);
    bench.call(&[&format!("{git}?ref=v1")]);
    let run = bench.run(&["init", "-json"]);
    let messages: Vec<serde_json::Value> = run
        .ended(0)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let codes: Vec<&str> = messages[1..]
        .iter()
        .map(|message| message["message_code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "module_fetching",
            "module_fetched",
            "output_init_success_message"
        ]
    );
    assert_eq!(messages[0]["type"], "version");
    assert_eq!(
        messages[2]["module"]["commit"],
        bench.git("r", &["rev-parse", "HEAD"])
    );
}

#[test]
fn submodules_belong_to_their_repository() {
    let bench = Bench::new();
    let inner = bench.repository(
        "inner",
        &[("main.hcl", "output \"value\" {\n  value = 9\n}\n")],
    );
    let git = bench.repository("outer", &[("README", "")]);
    let url = inner.trim_start_matches("git::");
    bench.git(
        "outer",
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            url,
            "below",
        ],
    );
    bench.commit("outer", &[], "v2");
    bench.call(&[&format!("{git}//below")]);
    bench.run(&["init"]).ended(0);
    assert_eq!(outputs(&bench.run(&["plan"])), ["+ a = 9"]);
}

#[test]
fn a_place_of_states_that_does_not_answer_is_told_by_init() {
    // Port 9 is for what is thrown away; no one listens there.
    let settings = [
        "backend \"http\" {\n    address = \"http://127.0.0.1:9/state\"",
        "backend \"postgres\" {\n    conn_str = \"postgres://u:p@127.0.0.1:9/db\"",
    ];
    for settings in settings {
        let text = format!("isobar {{\n  {settings}\n  }}\n}}\n");
        let folder = Folder::new(&[("main.hcl", &text)]);
        let refused = folder.run(&["init"]);
        refused.failed_with(&["S0008", "127.0.0.1", "Check the network"]);
        assert!(!folder.path(".isobar/backend.json").exists());
        folder.run(&["init", "-backend=false"]).ended(0);
    }
}
