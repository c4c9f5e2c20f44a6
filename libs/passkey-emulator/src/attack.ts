/** What an authenticator, a browser or somebody between them does wrong. Left out: all is as it should be. */
export interface Attack {
  /** False: nobody proved to the authenticator that it is them. */
  userVerified?: boolean;
  /** False: nobody touched the authenticator. */
  userPresent?: boolean;
  /** The page that asked, as the browser tells it: another site's. */
  origin?: string;
  /** The site for which the authenticator answers. */
  rpId?: string;
  /** Another challenge than the one that was asked (base64url). */
  challenge?: string;
  /** The counter that the authenticator tells. */
  counter?: number;
  /** What the browser was asked to do: `webauthn.get` for an assertion. */
  type?: string;
  /** True: the page that asked stands in a frame of another site. */
  crossOrigin?: boolean;
}
