package org.liminix.uboot;

import java.util.List;
import java.util.stream.Collectors;
import org.liminix.process.LiminixException;

/** A script was not run, because of what it would do to the board. */
public final class ScriptRefusedException extends LiminixException {
  private static final long serialVersionUID = 1L;

  ScriptRefusedException(List<PlanProblem> problems) {
    super(
        problems.stream()
            .map(problem -> "\n  " + problem)
            .collect(Collectors.joining("", "The script is refused; nothing was done:", "")));
  }
}
