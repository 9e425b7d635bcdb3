// Pages in Chromium: `node browse.js CHROMIUM URL TASK ARGUMENT` does a task and prints what was seen, as JSON.
//
// look PAGES: each page narrow and wide, in one theme each; what axe finds, console errors, overflow, bytes of script.
// skim PAGES: the same, but axe sees each page once, in one of four views.
// act PAGES: what steps on each page come to. read PAGES: each page without a script.
// follow PATH: an open story, until it changes. key JSON: pages with a key.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";

const [executablePath, base, task, argument] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await puppeteer.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
const print = (seen) => console.log(JSON.stringify(seen));

async function open(path, { width = 1440, theme = "light", script = true } = {}) {
  const page = await browser.newPage();
  const seen = { path, errors: [], requests: [], scriptBytes: 0 };
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && seen.errors.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith("data:")) seen.requests.push({ url, method: request.method(), headers: request.headers() });
  });
  page.on("response", async (response) => {
    if (response.request().resourceType() === "script") seen.scriptBytes += (await response.buffer()).length;
  });
  await page.setCacheEnabled(false);
  await page.setJavaScriptEnabled(script);
  await show(page, width, theme);
  seen.status = (await page.goto(base + path, { waitUntil: "load" })).status();
  return { page, seen };
}

async function show(page, width, theme) {
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
}

const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

// Target size axe leaves out unless it is asked: what is tapped has 24 pixels, or as much room around it.
async function audited(page, within) {
  // Axe comes by the debugger's protocol, which no policy of a page is asked for.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(
    (where) => window.axe.run(where || document, { rules: { "target-size": { enabled: true } } }),
    within,
  );
  const wrong = violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((each) => each.html)}`);
  return { passes: passes.length, violations: wrong };
}

// Colours differ by theme and boxes by width: each page is looked at in both of both, though not in all pairs.
const VIEWS = [
  [[390, "light"], [1440, "dark"]],
  [[1440, "light"], [390, "dark"]],
];

async function look(paths, once = false) {
  for (const [index, path] of paths.entries()) {
    const views = VIEWS[index % VIEWS.length];
    const { page, seen } = await open(path, { width: views[0][0], theme: views[0][1] });
    await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
    for (const [number, [width, theme]] of views.entries()) {
      await show(page, width, theme);
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const isAudited = !once || number === Math.floor(index / VIEWS.length) % views.length;
      print({ ...seen, width, theme, paper, overflow: await overflow(page), ...(isAudited && (await audited(page))) });
    }
    await page.setViewport({ width: 320, height: 900 });
    if ((await overflow(page)) > 0) throw new Error(`${path} does not fit into 320 pixels`);
    await page.close();
  }
}

const skim = (paths) => look(paths, true);

async function act(pages) {
  for (const { path, width, theme, within, steps } of pages) {
    const { page, seen } = await open(path, { width, theme });
    seen.answers = [];
    for (const step of steps) seen.answers.push(await take(page, step));
    print({ ...seen, overflow: await overflow(page), ...(await audited(page, within)) });
    await page.close();
  }
}

async function take(page, { type, into, click, until, evaluate }) {
  if (into) await page.type(into, type);
  if (click) await page.click(click);
  if (until) await page.waitForFunction(until, { timeout: 20000 });
  return evaluate ? await page.evaluate(evaluate) : null;
}

async function read(paths) {
  for (const path of paths) {
    const { page, seen } = await open(path, { script: false });
    seen.text = await page.$eval("main", (main) => main.innerText);
    seen.hidden = await page.$$eval("button", (all) => all.filter((each) => !each.offsetParent).length);
    print(seen);
    await page.close();
  }
}

async function follow(path) {
  const { page, seen } = await open(path);
  await page.waitForFunction(() => stream?.readyState === 1);
  await page.focus("#articles h3 a");
  const focused = await page.evaluate(() => document.activeElement.href);
  print({ watching: true });
  await page.waitForFunction(() => document.getElementById("news").textContent !== "");
  seen.news = await page.$eval("#news", (news) => news.innerText);
  seen.title = await page.$eval("h1", (title) => title.innerText);
  seen.points = await page.$$eval(".points li", (all) => all.map((each) => each.innerText));
  seen.keptFocus = focused === (await page.evaluate(() => document.activeElement.href));
  print(seen);
}

async function enter(page, key) {
  await page.click("header [data-key-open]");
  await page.type("#key-value", key);
  await page.click('#key button[value="use"]');
}

async function whileItFails(page, url, status) {
  const answer = (request) =>
    request.resourceType() === "fetch"
      ? request.respond({ status, contentType: "text/html", body: "<main>Away</main>" })
      : request.continue();
  await page.setRequestInterception(true);
  page.on("request", answer);
  await page.goto(url, { waitUntil: "load" });
  await page.waitForFunction(() => document.getElementById("news").textContent !== "");
  const told = await page.$eval("#news", (each) => each.textContent);
  const headings = (await page.$$("main h1")).length;
  page.off("request", answer);
  await page.setRequestInterception(false);
  return [told, headings];
}

async function useKeys({ wrong, good, paths: [first, ...others] }) {
  const { page, seen } = await open(first);
  await enter(page, "plx_short");
  await page.waitForFunction(() => document.querySelector("#key .problem").textContent !== "");
  seen.mistyped = await page.$eval("#key .problem", (each) => each.textContent);
  await page.keyboard.press("Escape");
  await enter(page, wrong);
  await page.waitForFunction(() => document.querySelector("#key .problem").textContent !== "");
  seen.refused = await page.$eval("#key .problem", (each) => each.textContent);
  seen.errors = []; // browsers tell of every 401
  await page.keyboard.press("Escape");
  seen.upgradesBefore = (await page.$$(".upgrade")).length;
  await enter(page, good);
  await page.waitForFunction(() => !document.querySelector(".upgrade"));
  seen.factuality = await page.$eval("#factuality", (each) => each.innerText);
  seen.upgradesAfter = [];
  for (const path of others) {
    await page.goto(base + path, { waitUntil: "load" });
    await page.waitForFunction(() => !document.querySelector(".upgrade"));
    seen.upgradesAfter.push((await page.$$(".upgrade")).length);
  }
  seen.away = [];
  for (const status of [429, 503]) seen.away.push(await whileItFails(page, base + first, status));
  seen.errors = seen.errors.filter((each) => !each.includes("status of"));
  seen.cookies = (await page.cookies()).length;
  await page.click("header [data-key-open]");
  await Promise.all([page.waitForNavigation(), page.click("[data-key-forget]")]);
  seen.forgotten = await page.evaluate(() => sessionStorage.length);
  print(seen);
}

try {
  await { look, skim, act, read, follow, key: useKeys }[task](JSON.parse(argument));
} finally {
  await browser.close();
}
