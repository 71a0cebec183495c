// Makes elements look like others without replacing them: what has the focus keeps it, and a button
// under a finger stays the button that was pressed.

/** Makes the children of `parent` look like `fresh`. */
export function morph(parent, fresh) {
  const old = [...parent.childNodes];
  for (const [place, node] of fresh.entries()) {
    const now = old[place];
    if (now === undefined) parent.append(node);
    else if (isSame(now, node)) become(now, node);
    else now.replaceWith(node);
  }
  for (const node of old.slice(fresh.length)) node.remove();
}

const isSame = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;

function become(now, then) {
  if (now.nodeType !== Node.ELEMENT_NODE) {
    if (now.nodeValue !== then.nodeValue) now.nodeValue = then.nodeValue;
    return;
  }
  for (const { name } of [...now.attributes]) if (!then.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of then.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  morph(now, [...then.childNodes]);
}
