// Looks at pages in a browser: node browse.js CHROMIUM URL, with steps as lines of JSON on standard input.
// Writes a line of JSON for each page: what axe finds, what the console says, what was answered.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [executablePath, base] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox"] });

async function look({ path, width, scheme, within, steps = [], picture }) {
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  const requests = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith("data:")) requests.push({ url, method: request.method(), headers: request.headers() });
  });
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(base + path, { waitUntil: "load" });
  const answers = [];
  for (const step of steps) answers.push(await take(page, step));
  if (picture) await page.screenshot({ path: picture });
  const overflows = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  // Axe comes by the debugger's protocol, which no policy of a page is asked for.
  await page.evaluate(axe);
  const found = await page.evaluate(
    (where) => window.axe.run(where || document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }),
    within,
  );
  const violations = found.violations.map((each) => ({ rule: each.id, where: each.nodes.slice(0, 3).map((node) => node.html) }));
  await page.close();
  console.log(JSON.stringify({ path, width, scheme, violations, said, overflows, requests, answers, checked: found.passes.length }));
}

async function take(page, { type, into, click, press, until, evaluate }) {
  if (into) await page.type(into, type);
  if (click) await page.click(click);
  if (press) await page.keyboard.press(press);
  if (until) await page.waitForFunction(until, { timeout: 20000 });
  return evaluate ? await page.evaluate(evaluate) : null;
}

for await (const line of createInterface({ input: process.stdin })) await look(JSON.parse(line));
await browser.close();
