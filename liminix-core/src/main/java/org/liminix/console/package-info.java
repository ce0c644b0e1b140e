/** Consoles of routers and boards: a transcript that loses nothing, waits, and a shell. */
package org.liminix.console;
