// What the pages ask the centre for, with the token of whoever looks.

const TOKEN = "benchd.centre.token";

export const token = () => sessionStorage.getItem(TOKEN);

export const keep = (typed) => sessionStorage.setItem(TOKEN, typed);

export const forget = () => sessionStorage.removeItem(TOKEN);

export async function ask(path) {
  const headers = token() ? { authorization: `Bearer ${token()}` } : {};
  try {
    const answer = await fetch(path, { headers });
    if (answer.ok) return { told: await answer.json() };
    if (answer.status === 401) forget();
    const { error } = await answer.json();
    return { error: error?.code ?? "unreachable", wasRefused: answer.status === 401 };
  } catch {
    return { error: "unreachable" };
  }
}

/** 93 %, and of how many; nothing where there is none to be a share of. */
export const share = (part, whole) => (whole ? `${Math.floor((100 * part) / whole)} %` : "–");
