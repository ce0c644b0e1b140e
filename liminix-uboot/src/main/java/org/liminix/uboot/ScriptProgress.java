package org.liminix.uboot;

/**
 * How far a script is.
 *
 * @param line the number of the line, counted from 1
 * @param command the command that runs next
 * @param done how many commands have run
 * @param total how many there are
 */
public record ScriptProgress(int line, String command, int done, int total) {}
