//! JSON from a web server: times and values at paths in it, page after page.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::MAX_READINGS;
use crate::csv::AGGREGATE;
use crate::fault::{Fault, abbreviate};
use crate::json_path::JsonPath;
use crate::settings::{Problem, Setting, Settings, Shape};
use crate::source::{Reading, Source, Window};
use crate::web::{self, Account, Reach, Web};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("url", "The address. {from}, {until} and {step} in it become the window asked for, times as time_format says and the step in seconds.").required(),
    Setting::new("times", "Where the times are, such as \"data.points.*.time\" or \"/data/times/*\".").required(),
    Setting::new("values", "Where the values are, as many as times.").required(),
    Setting::new("time_format", "seconds or milliseconds since 1970, or iso; where it is not set, numbers above 100,000,000,000 are milliseconds."),
    Setting::new("next", "Where the address of the next page or its cursor is; null or missing ends the pages."),
    Setting::new("cursor", "The parameter of the address that next is put into; without it next is an address."),
    Setting::new("headers", "Headers of the request by name; sensitive values are sent and not shown.").shaped(Shape::Texts).secret(),
    Setting::new("parameters", "Parameters of the address by name; sensitive values are sent and not shown.").shaped(Shape::Texts).secret(),
    AGGREGATE,
    web::USERNAME,
    web::PASSWORD,
    web::TOKEN,
    web::TIME_OUT,
    web::AUTHORITY,
    web::UNVERIFIED,
];

/// More pages than this are taken for a server that never ends.
const PAGES: usize = 1_000;
/// Numbers above this are milliseconds: as seconds it is the year 5138.
const MILLISECONDS_ABOVE: f64 = 1e11;
const CREDENTIALS: &str = "check username and password, token or headers; they can come from ISOBAR_HTTP_JSON_USERNAME, ISOBAR_HTTP_JSON_PASSWORD and ISOBAR_HTTP_JSON_TOKEN";

#[derive(Debug)]
struct HttpJson {
    web: Web,
    template: String,
    /// The address without a window, for people and to compare hosts with.
    url: Url,
    headers: HeaderMap,
    parameters: BTreeMap<String, String>,
    account: Account,
    paths: Paths,
}

#[derive(Debug)]
struct Paths {
    times: JsonPath,
    values: JsonPath,
    next: Option<JsonPath>,
    cursor: Option<String>,
    format: Option<TimeFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TimeFormat {
    Seconds,
    Milliseconds,
    Iso,
}

#[derive(Deserialize)]
struct Told {
    url: String,
    times: String,
    values: String,
    time_format: Option<String>,
    next: Option<String>,
    cursor: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(flatten)]
    reach: Reach,
}

pub(crate) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    let told: Told = settings.read()?;
    let format = told.time_format.map(|text| {
        serde_json::from_value(Value::from(text)).map_err(|_| {
            let reason = "is none of seconds, milliseconds and iso";
            Problem::wrong("time_format", reason, "write one of them, or leave it out")
        })
    });
    if told.cursor.is_some() && told.next.is_none() {
        let help = "say with next where the cursor is in an answer";
        return Err(Problem::wrong("cursor", "needs next", help));
    }
    let bare = ["{from}", "{until}", "{step}"];
    let bare = bare
        .iter()
        .fold(told.url.clone(), |url, name| url.replace(name, "0"));
    Ok(Box::new(HttpJson {
        web: Web::open(&told.reach)?,
        url: web::address("url", &bare)?,
        template: told.url,
        headers: headers(&told.headers)?,
        parameters: told.parameters,
        account: Account::of(settings, "ISOBAR_HTTP_JSON")?,
        paths: Paths {
            times: JsonPath::parse(&told.times),
            values: JsonPath::parse(&told.values),
            next: told.next.as_deref().map(JsonPath::parse),
            cursor: told.cursor,
            format: format.transpose()?,
        },
    }))
}

fn headers(told: &BTreeMap<String, String>) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    for (name, value) in told {
        // The value may be secret and is not repeated.
        let wrong = |what: &str| {
            let reason = format!("has {what} {name:?}");
            Problem::wrong("headers", reason, "use printable ASCII without line breaks")
        };
        let name = HeaderName::try_from(name).map_err(|_| wrong("no name of a header in"))?;
        let mut value = HeaderValue::try_from(value).map_err(|_| wrong("a wrong value in"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

impl Source for HttpJson {
    fn place(&self) -> String {
        web::shown(&self.url)
    }

    /// A server tells what it has.
    fn keeps_step(&self) -> bool {
        false
    }

    fn read(&self, window: Window) -> BoxFuture<'_, Result<Vec<Reading>, Fault>> {
        async move {
            let mut readings = Vec::new();
            let mut seen = BTreeSet::new();
            let mut url = self.first(&window)?;
            for _ in 0..PAGES {
                let page = self.page(&url).await?;
                readings.extend(self.paths.readings(&page)?);
                if readings.len() > MAX_READINGS {
                    let help = "ask for fewer of them, with a longer `step` or a shorter `history`";
                    return Err(Fault::unusable(
                        format!("more than {MAX_READINGS} readings"),
                        help,
                    ));
                }
                seen.insert(url.to_string());
                match self.next(&page, &window)? {
                    None => {
                        // A server that ignores the window tells more than was asked for.
                        readings.retain(|r| r.at >= window.from && r.at < window.until);
                        return Ok(readings);
                    }
                    Some(next) if seen.contains(next.as_str()) => {
                        let what = format!("{} gives the same next page twice", self.place());
                        return Err(Fault::unusable(what, "check next and cursor"));
                    }
                    Some(next) => url = next,
                }
            }
            let what = format!("{} gives more than {PAGES} pages", self.place());
            Err(Fault::unusable(
                what,
                "ask for larger pages, or a shorter `history`",
            ))
        }
        .boxed()
    }
}

impl HttpJson {
    fn first(&self, window: &Window) -> Result<Url, Fault> {
        let time = |at: Timestamp| match self.paths.format {
            Some(TimeFormat::Iso) => at.to_string(),
            Some(TimeFormat::Milliseconds) => at.as_millisecond().to_string(),
            Some(TimeFormat::Seconds) | None => at.as_second().to_string(),
        };
        let text = self
            .template
            .replace("{from}", &time(window.from))
            .replace("{until}", &time(window.until))
            .replace("{step}", &window.step.as_secs().to_string());
        let mut url = Url::parse(&text).map_err(|error| {
            Fault::question(format!("url is no address: {error}"), "correct url")
        })?;
        if !self.parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.parameters);
        }
        Ok(url)
    }

    async fn page(&self, url: &Url) -> Result<Value, Fault> {
        let place = self.place();
        let ask = |client: &reqwest::Client| {
            let request = client.get(url.clone()).headers(self.headers.clone());
            self.account.sign(request)
        };
        let answer = self.web.ask(&place, ask).await?;
        if let Some(refusal) = answer.refusal(&place, CREDENTIALS) {
            return Err(refusal);
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            let what = format!(
                "{place} does not answer with JSON ({error}): {}",
                answer.shown()
            );
            Fault::unusable(what, "check that url leads to JSON")
        })
    }

    /// The address of the page behind one. It must be of the same server: the credentials are
    /// for no other.
    fn next(&self, page: &Value, window: &Window) -> Result<Option<Url>, Fault> {
        let Some(path) = &self.paths.next else {
            return Ok(None);
        };
        let text = match path.one(page) {
            None => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        if let Some(parameter) = &self.paths.cursor {
            let mut url = self.first(window)?;
            url.query_pairs_mut().append_pair(parameter, &text);
            return Ok(Some(url));
        }
        let url = self.url.join(&text).map_err(|error| {
            let what = format!("{} in the answer is no address: {error}", path.text());
            Fault::unusable(
                what,
                "check next; where it is a cursor, name its parameter with cursor",
            )
        })?;
        if url.origin() != self.url.origin() {
            let other = url.host_str().unwrap_or_default();
            let what = format!("the next page is on another server, {other}");
            return Err(Fault::unusable(what, "write its address into url"));
        }
        Ok(Some(url))
    }
}

impl Paths {
    fn readings(&self, page: &Value) -> Result<Vec<Reading>, Fault> {
        let all = |name: &str, path: &JsonPath| {
            path.all(page)
                .map(|found| found.into_iter().map(Option::<&Value>::cloned).collect())
                .map_err(|part| {
                    let what = format!("the answer has nothing at {part:?}, where {name} leads");
                    Fault::unusable(
                        what,
                        format!("correct {name}; a list is gone through with *"),
                    )
                })
        };
        let times: Vec<Option<Value>> = all("times", &self.times)?;
        let values: Vec<Option<Value>> = all("values", &self.values)?;
        if times.len() != values.len() {
            return Err(Fault::unusable(
                format!(
                    "there are {} times and {} values",
                    times.len(),
                    values.len()
                ),
                "make times and values lead through the same list, or through two of one length",
            ));
        }
        let pairs = times.into_iter().zip(values);
        pairs
            .map(|(time, value)| {
                let at = self.time(&time.unwrap_or_default())?;
                let value = number(value.as_ref(), at)?;
                Ok(Reading {
                    at,
                    value,
                    line: None,
                })
            })
            .collect()
    }

    fn time(&self, value: &Value) -> Result<Timestamp, Fault> {
        let found = match (self.format, value) {
            (None | Some(TimeFormat::Iso), Value::String(text)) => text.parse().ok(),
            (Some(TimeFormat::Iso), _) => None,
            (format, value) => as_number(value).and_then(|number| {
                let milliseconds = match format {
                    Some(TimeFormat::Milliseconds) => true,
                    Some(_) => false,
                    None => number.abs() > MILLISECONDS_ABOVE,
                };
                let seconds = if milliseconds {
                    number / 1000.0
                } else {
                    number
                };
                epoch(seconds)
            }),
        };
        found.ok_or_else(|| {
            let zoneless = value
                .as_str()
                .is_some_and(|text| text.parse::<jiff::civil::DateTime>().is_ok());
            let text = abbreviate(
                &value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            );
            match zoneless {
                true => Fault::unusable(
                    format!("the time {text} has no time zone"),
                    "make the server write Z or an offset such as +02:00",
                ),
                false => Fault::unusable(
                    format!("{text} is not a time"),
                    "check times, and time_format where times are numbers",
                ),
            }
        })
    }
}

/// A time from seconds since 1970, to the microsecond that a float holds.
fn epoch(seconds: f64) -> Option<Timestamp> {
    let length = Duration::try_from_secs_f64(seconds.abs()).ok()?;
    let microseconds = i64::try_from(length.as_nanos().checked_add(500)? / 1000).ok()?;
    Timestamp::from_microsecond(if seconds < 0.0 {
        -microseconds
    } else {
        microseconds
    })
    .ok()
}

/// A number, also one that is written as text.
fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    }
}

fn number(value: Option<&Value>, at: Timestamp) -> Result<Option<f64>, Fault> {
    let value = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let shown = || {
        abbreviate(
            &value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
        )
    };
    match as_number(value) {
        Some(number) if number.is_nan() => Ok(None),
        Some(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
        Some(_) => Err(Fault::unusable(
            format!("the value {} at {at} is negative or infinite", shown()),
            "rates and counts are at least 0; check values",
        )),
        None => Err(Fault::unusable(
            format!("the value {} at {at} is not a number", shown()),
            "make values lead to numbers; null stands for what was not measured",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(times: &str, values: &str, format: Option<TimeFormat>) -> Paths {
        Paths {
            times: JsonPath::parse(times),
            values: JsonPath::parse(values),
            next: None,
            cursor: None,
            format,
        }
    }

    fn listed(readings: Vec<Reading>) -> Vec<(String, Option<f64>)> {
        readings
            .into_iter()
            .map(|r| (r.at.to_string(), r.value))
            .collect()
    }

    #[test]
    fn times_come_in_every_usual_form() {
        let page = json!({"points": [
            [1_717_236_000, 1], [1_717_236_300_000_i64, "2.5"],
            ["2024-06-01T12:10:00+02:00", null], ["2024-06-01T10:15:00Z", 4.0],
        ]});
        let found = paths("points.*.0", "points.*.1", None)
            .readings(&page)
            .unwrap();
        let expected = [
            ("2024-06-01T10:00:00Z", Some(1.0)),
            ("2024-06-01T10:05:00Z", Some(2.5)),
            ("2024-06-01T10:10:00Z", None),
            ("2024-06-01T10:15:00Z", Some(4.0)),
        ];
        assert_eq!(listed(found), expected.map(|(at, v)| (at.to_owned(), v)));
    }

    #[test]
    fn what_is_no_reading_is_told_with_the_way_out() {
        let told = |page: Value, times, values, format| {
            let fault = paths(times, values, format).readings(&page).unwrap_err();
            format!("{fault}; {}", fault.help())
        };
        let text = json!([{"t": 0, "v": "many"}]);
        assert_eq!(
            told(text, "*.t", "*.v", None),
            "the value \"many\" at 1970-01-01T00:00:00Z is not a number; make values lead to numbers; null stands for what was not measured"
        );
        let lists = json!({"t": [0, 1], "v": [1]});
        assert!(told(lists, "t.*", "v.*", None).starts_with("there are 2 times and 1 values"));
        let zoneless = json!([{"t": "2024-06-01T10:15:00", "v": 1}]);
        assert!(told(zoneless, "*.t", "*.v", None).contains("has no time zone"));
        let number = json!([{"t": 5, "v": 1}]);
        assert!(told(number, "*.t", "*.v", Some(TimeFormat::Iso)).contains("is not a time"));
        let nothing = json!({"data": {}});
        assert!(
            told(nothing, "data.points.*.t", "data.points.*.v", None).contains("\"data.points\"")
        );
    }
}
