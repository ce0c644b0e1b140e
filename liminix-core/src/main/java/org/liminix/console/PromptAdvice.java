package org.liminix.console;

import java.util.List;
import java.util.regex.Pattern;

/** Tells from what a console shows why no shell answers there, and what would help. */
final class PromptAdvice {
  private record Look(Pattern lastLine, String advice) {}

  private static final String U_BOOT =
      "That is U-Boot, not a shell: have it boot a system first, or drive it with UBoot";

  private static final List<Look> LOOKS =
      List.of(
          look(
              "login: ?$",
              "A login is awaited there: name the user with login(…) and, if he has one, the"
                  + " password"),
          look(
              "(?i)password: ?$",
              "A password is awaited there, so somebody has begun to log in: send an empty line"
                  + " first, and use login(user, password)"),
          look(
              "(?i)press (the )?\\[?enter",
              "A shell starts there when somebody presses Enter: console.sendLine(\"\") first"),
          look("(=>|(?i:u-boot)[^#>]*[#>]) ?$", U_BOOT),
          look("(?i)hit any key to stop autoboot|Unknown command '", U_BOOT),
          look(
              "^grub( rescue)?> ?$",
              "That is GRUB, not a shell: have it boot a system first, with console.sendLine(\"boot\")"),
          look(
              "^\\(qemu\\) ?$",
              "That is QEMU's monitor, not a console: open the console's socket instead"));

  private PromptAdvice() {}

  private static Look look(String lastLine, String advice) {
    return new Look(Pattern.compile(lastLine), advice);
  }

  /** What to do where no prompt was seen or nothing answered; never empty. */
  static String of(TextLog.Snapshot shown) {
    String lastLine = shown.lastLines(1).strip();
    for (Look look : LOOKS) {
      if (look.lastLine().matcher(lastLine).find()) {
        return look.advice();
      }
    }
    if (lastLine.isEmpty()) {
      return "If the prompt was shown before the console was opened, console.sendLine(\"\") has it"
          + " shown again";
    }
    return "If \""
        + lastLine
        + "\" is a prompt, tell its looks with prompt(Pattern); if the prompt was shown before the"
        + " console was opened, console.sendLine(\"\") has it shown again";
  }

  /** What answers, but not as a POSIX shell (XCU 2.14 and {@code command}) would. */
  static String notPosix(String console, String said) {
    String message =
        "What answers on console "
            + console
            + " is no POSIX shell: it cannot run \"command eval …\"";
    if (!said.isBlank()) {
      message += ". It said:\n" + said.strip().indent(4).stripTrailing();
    }
    return message
        + "\n"
        + (said.contains("Unknown command '")
            ? U_BOOT
            : "Start a shell that has these built-ins, such as busybox ash with ASH_CMDCMD, or"
                + " drive this one with Console.expect and sendLine");
  }
}
