//! The colours of nicks.

use serde_json::json;

use super::browser::Browser;
use super::home;

/// As many as there are colours.
const PEOPLE: usize = 32;

const COLOURS: &str =
    "Object.fromEntries([...document.querySelectorAll('#people .entry')].map((one) =>
    [one.dataset.name, getComputedStyle(one.querySelector('.avatar')).backgroundColor]))";

/// Every pair of a nick's colour and a background with less contrast than 4.5, and the smallest distance of two
/// colours in OKLab.
const MEASURED: &str = r"
    const style = getComputedStyle(document.documentElement);
    const rgb = (name) => {
        const hex = style.getPropertyValue(name).trim().slice(1);
        const long = hex.length === 3 ? [...hex].map((c) => c + c).join('') : hex;
        return [0, 2, 4].map((at) => parseInt(long.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    };
    const light = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
    const lab = ([r, g, b]) => {
        const [l, m, s] = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]]
            .map(([x, y, z]) => Math.cbrt(x * r + y * g + z * b));
        return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
    };
    const colours = [];
    for (let at = 0; style.getPropertyValue(`--c${at}`); at++) colours.push(rgb(`--c${at}`));
    const faint = [];
    for (const name of ['--back', '--side', '--hover', '--named', '--soft']) {
        for (const [at, colour] of colours.entries()) {
            const [one, other] = [light(colour), light(rgb(name))];
            const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
            if (contrast < 4.5) faint.push(`${name} c${at}: ${contrast}`);
        }
    }
    let nearest = Infinity;
    const places = colours.map(lab);
    places.forEach((one, at) => places.slice(at + 1).forEach((other) => nearest = Math.min(nearest, Math.hypot(...one.map((value, axis) => value - other[axis])))));
    return { count: colours.length, faint, nearest };";

pub(crate) fn colours_can_be_read_and_told_apart_in_the_light_and_in_the_dark() {
    let (_home, server) = home("");
    let ana = Browser::start();
    ana.opens(&server);
    for dark in [false, true] {
        ana.screen(1440, 900, dark);
        let measured = ana.js(MEASURED);
        assert_eq!(measured["faint"], json!([]), "dark: {dark}");
        assert_eq!(measured["count"], PEOPLE);
        // Three times what eyes just tell apart (0.02), and more.
        assert!(measured["nearest"].as_f64().unwrap() > 0.07, "{measured}");
    }
}

pub(crate) fn people_in_one_channel_have_different_colours_that_stay() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let others: Vec<_> = (1..PEOPLE)
        .map(|number| server.joins(&format!("user{number}")))
        .collect();
    let all = format!("Object.keys({COLOURS}).length === {PEOPLE}");
    ana.until(&all);
    let colours = ana.value(COLOURS);
    let mut different: Vec<_> = colours.as_object().unwrap().values().collect();
    different.sort_by_key(|colour| colour.to_string());
    different.dedup();
    assert_eq!(different.len(), PEOPLE, "{colours}");
    ana.reloads();
    ana.until(&all);
    assert_eq!(ana.value(COLOURS), colours);
    assert_eq!(others.len(), PEOPLE - 1);
}
