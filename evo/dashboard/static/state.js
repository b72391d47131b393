// Where the reader is: all of it stands in the address, so that a link leads to what its sender saw.

const listeners = [];

export function state() {
  return Object.fromEntries(new URLSearchParams(location.search));
}

export function address(changes) {
  const next = { ...state(), ...changes };
  delete next.token;
  const kept = Object.entries(next).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return `?${new URLSearchParams(kept)}`;
}

// Changes the address; `replace` where the step is too small for the Back button.
export function go(changes, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", address(changes));
  listeners.forEach((listener) => listener());
}

// Returns the attributes of a link that changes the address without loading the page again.
export function link(changes) {
  const follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(changes);
  };
  return { href: address(changes), onclick: follow };
}

export function onChange(listener) {
  listeners.push(listener);
  addEventListener("popstate", listener);
}

// The token has become a cookie: it needs to stand in no history and no shared link.
if (state().token) history.replaceState(null, "", address({}));
