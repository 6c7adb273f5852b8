// Sign-in in a window of its own: loaded by who asks for it, and by that window.
const POLL_MS = 250;

/**
 * Leads a popup to the issuer and waits for the response that its last page passes on; undefined
 * when it was closed before.
 */
export function responseOf(
  popup: Window,
  name: string,
  state: string,
  url: string,
): Promise<URLSearchParams | undefined> {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(name);
    let gone = 0;
    const end = (response?: URLSearchParams) => {
      clearInterval(timer);
      channel.close();
      popup.close();
      resolve(response);
    };
    // The response may still be on its way when its window has gone.
    const timer = setInterval(() => popup.closed && gone++ && end(), POLL_MS);
    channel.onmessage = ({ data }) => {
      const response = new URLSearchParams(String(data));
      // Any script of this origin can write to the channel, and other tabs sign in as well.
      if (response.get('state') !== state) return;
      channel.postMessage({ taken: state });
      end(response);
    };
    // Whatever is shown there has no hold on this page.
    popup.opener = null;
    popup.location.replace(url);
  });
}

/** In the popup: hands the response over, without the verifier that makes it worth something. */
export function passOn(name: string, response: URLSearchParams): void {
  const channel = new BroadcastChannel(name);
  // Who closes at once may take the message along: the other side closes this window, or its
  // answer does.
  channel.onmessage = ({ data }) => {
    if (data?.taken !== response.get('state')) return;
    channel.close();
    close();
  };
  channel.postMessage(`${response}`);
}
