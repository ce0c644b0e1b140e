package org.liminix.uboot;

/**
 * Why a script must not run.
 *
 * @param line the number of the line, counted from 1
 * @param command the command that would do harm
 * @param message what it would destroy, or why nobody can tell, and what to do about it
 */
public record PlanProblem(int line, String command, String message) {
  @Override
  public String toString() {
    return "line %d, %s: %s".formatted(line, command, message);
  }
}
