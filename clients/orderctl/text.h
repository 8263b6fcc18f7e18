/*
 * Text from others on its way to a terminal.
 */
#ifndef ORDERCTL_TEXT_H
#define ORDERCTL_TEXT_H

/*
 * Make it harmless: what could move the cursor or end the line becomes '?', tabs and line ends
 * become blanks, bytes that are no UTF-8 become '?'.  Answers how many columns it takes up, which
 * is right once main (or a test) has set a UTF-8 LC_CTYPE.
 */
int text_clean(char *z);

#endif
