/** In an issue's text: its agent fails as soon as it has begun. */
export const ENDS_AT_ONCE = 'The agent of this issue ends at once.';
