package org.liminix.uboot;

import java.util.Comparator;
import java.util.List;

/**
 * What a script would do to a board, found without the board.
 *
 * <pre>{@code
 * ScriptPlan plan = script.check(board, files);
 * Files.writeString(Path.of("plan.svg"), plan.toSvg());
 * plan.verify(); // throws if anything would be harmed
 * }</pre>
 *
 * <p>Immutable and thread-safe.
 */
public final class ScriptPlan {
  private final UBootScript script;
  private final MemoryMap board;
  private final List<PlanStep> steps;
  private final List<PlanProblem> problems;

  ScriptPlan(
      UBootScript script, MemoryMap board, List<PlanStep> steps, List<PlanProblem> problems) {
    this.script = script;
    this.board = board;
    this.steps = List.copyOf(steps);
    this.problems = problems.stream().sorted(Comparator.comparingInt(PlanProblem::line)).toList();
  }

  /** The script. */
  public UBootScript script() {
    return script;
  }

  /** The board. */
  public MemoryMap board() {
    return board;
  }

  /** What happens to memory and flash, in order. */
  public List<PlanStep> steps() {
    return steps;
  }

  /** Why the script must not run; empty if it may. */
  public List<PlanProblem> problems() {
    return problems;
  }

  /**
   * Returns this plan if there is nothing against it.
   *
   * @throws ScriptRefusedException saying which line would destroy what
   */
  public ScriptPlan verify() {
    if (!problems.isEmpty()) {
      throw new ScriptRefusedException(problems);
    }
    return this;
  }

  /** The plan for a terminal: the steps, maps of RAM and flash drawn to scale, the refusals. */
  public String explain() {
    return new PlanText(this).render();
  }

  /** The plan as a picture: maps of RAM and flash drawn to scale. */
  public String toSvg() {
    return new PlanSvg(this).render();
  }

  @Override
  public String toString() {
    return explain();
  }
}
