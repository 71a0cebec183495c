// Builds elements, and changes them in place. Strings always become text, never markup.

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Says something in an element; one that has nothing to say isn't there. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
  if (element.hidden !== (text === "")) element.hidden = text === "";
}

/**
 * Makes the children of an element be these, in this order. What has the focus or is being pressed
 * stays where it is, and the others go before and after it: a node that moves loses both.
 */
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  const fixed = wanted.findIndex((child) => child.parentNode === parent && (child.contains(document.activeElement) || child.matches(":active")));
  const before = fixed < 0 ? [] : wanted.slice(0, fixed);
  const after = wanted.slice(fixed < 0 ? 0 : fixed + 1);
  let at = fixed < 0 ? null : wanted[fixed];
  for (const child of before.reverse()) {
    if (child.nextSibling !== at || child.parentNode !== parent) parent.insertBefore(child, at);
    at = child;
  }
  let next = fixed < 0 ? parent.firstChild : wanted[fixed].nextSibling;
  for (const child of after) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
}

/** Makes an element's content be like these new nodes, in place wherever something alike is there already. */
export function morph(parent, ...wanted) {
  const nodes = wanted.map((node) => (typeof node === "string" ? document.createTextNode(node) : node));
  for (const [place, node] of nodes.entries()) {
    const old = parent.childNodes[place];
    if (!old) parent.append(node);
    else if (!old.isEqualNode(node)) become(old, node);
  }
  while (parent.childNodes.length > nodes.length) parent.lastChild.remove();
}

function become(old, node) {
  if (old.nodeType !== node.nodeType || old.nodeName !== node.nodeName) {
    old.replaceWith(node);
  } else if (old.nodeType === Node.TEXT_NODE) {
    old.data = node.data;
  } else {
    for (const { name } of [...old.attributes]) if (!node.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    morph(old, ...node.childNodes);
  }
}
