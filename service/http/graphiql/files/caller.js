// Who asks, and what that costs: the key of this tab goes along with what GraphiQL sends, and the price comes back.
(function () {
  "use strict";

  const KEPT_AS = "parallax-key";
  const SHAPE = /^plx_[0-9A-Za-z]+$/;
  const field = document.getElementById("key");
  const cost = document.getElementById("cost");

  // For this tab, until it is closed; never in the address, and not beside GraphiQL's own history.
  field.value = storage() ? storage().getItem(KEPT_AS) || "" : "";
  field.addEventListener("input", function () {
    const key = field.value.trim();
    if (storage() && key) storage().setItem(KEPT_AS, key);
    else if (storage()) storage().removeItem(KEPT_AS);
    field.setAttribute("aria-invalid", String(key !== "" && !SHAPE.test(key)));
  });

  // None where the browser lets no page keep anything: the key then lasts until the page is left.
  function storage() {
    try {
      return window.sessionStorage;
    } catch {
      return null;
    }
  }

  function authorization() {
    const key = field.value.trim();
    // What a header cannot hold is not sent: the field says that it is wrong, and the service that it is no key.
    return key ? "Bearer " + (SHAPE.test(key) ? key : "plx_wrong") : null;
  }

  // The schema is the same for all: it is there even where the key is wrong.
  function asksForSchema(options) {
    return JSON.parse(options.body).operationName === "IntrospectionQuery";
  }

  async function ask(url, options) {
    if (asksForSchema(options)) return window.fetch(url, options);
    const headers = new Headers(options.headers);
    const bearer = authorization();
    // What is written in the headers of a tab goes before.
    if (bearer && !headers.has("Authorization") && !headers.has("X-API-Key")) headers.set("Authorization", bearer);
    const response = await window.fetch(url, Object.assign({}, options, { headers: headers }));
    tell(response.status, response.headers, await response.clone().json().catch(() => null));
    return response;
  }

  function tell(status, headers, body) {
    const price = body && body.extensions && body.extensions.cost && body.extensions.cost.requested;
    const limit = /;q=(\d+)/.exec(headers.get("RateLimit-Policy") || "");
    const left = /;r=(\d+)/.exec(headers.get("RateLimit") || "");
    const told = [];
    if (status === 401) told.push("This key is not accepted");
    if (Number.isInteger(price)) told.push("Cost " + price.toLocaleString("en"));
    if (limit && left) told.push(Number(left[1]).toLocaleString("en") + " of " + Number(limit[1]).toLocaleString("en") + " left");
    cost.textContent = told.join(" · ");
  }

  window.parallaxCaller = {
    fetch: ask,
    // GraphiQL copies this for each subscription: so the key is that of the moment.
    connectionParams: {
      get authorization() {
        return authorization() || undefined;
      },
    },
  };
})();
