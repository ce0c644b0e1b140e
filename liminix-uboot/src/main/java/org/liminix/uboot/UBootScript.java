package org.liminix.uboot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A sequence of U-Boot commands, such as Liminix's {@code boot.scr} and {@code flash.scr}.
 *
 * <pre>{@code
 * UBootScript script = UBootScript.read(Path.of("result/flash.scr"));
 * ScriptPlan plan = script.check(board, ImageSource.directory(Path.of(".")));
 * System.out.println(plan.explain());
 * plan.verify();
 * }</pre>
 *
 * <p>Immutable and thread-safe. Two are equal if they run the same commands, whatever their
 * spacing, quoting and comments.
 */
public final class UBootScript {
  private final List<Line> lines;

  private UBootScript(List<Line> lines) {
    this.lines = List.copyOf(lines);
  }

  /**
   * A line with at least one command.
   *
   * @param number its number in the text, counted from 1
   * @param text the line as it stands
   * @param commands the commands on it
   */
  public record Line(int number, String text, List<UBootCommand> commands) {
    /** Takes a copy of the list. */
    public Line {
      commands = List.copyOf(commands);
    }
  }

  /**
   * Takes a text apart.
   *
   * @throws ScriptFormatException naming the line that is wrong
   */
  public static UBootScript parse(String text) {
    List<Line> lines = new ArrayList<>();
    String[] all = text.split("\n", -1);
    for (int i = 0; i < all.length; i++) {
      // Not blanks: a backslash may make the last one part of a word.
      String line = all[i].replaceFirst("\r+$", "");
      for (int at = 0; at < line.length(); at++) {
        // A control character typed at a prompt is not a character but a command to its editor.
        if (Character.isISOControl(line.charAt(at)) && line.charAt(at) != '\t') {
          throw new ScriptFormatException(
              i + 1,
              line.replaceAll("\\p{Cntrl}", "?"),
              "control character 0x%02x at column %d".formatted((int) line.charAt(at), at + 1));
        }
      }
      List<UBootCommand> commands = new ScriptParser(line, i + 1).parse();
      if (!commands.isEmpty()) {
        lines.add(new Line(i + 1, line, commands));
      }
    }
    return new UBootScript(lines);
  }

  /** Reads a script, as text or wrapped into a uImage of type script by {@code mkimage}. */
  public static UBootScript read(Path file) throws IOException {
    return decode(Files.readAllBytes(file));
  }

  static UBootScript decode(byte[] file) {
    byte[] bytes = file;
    if (bytes.length >= 4 && ByteBuffer.wrap(bytes).getInt(0) == UImage.MAGIC) {
      UImage image = UImage.parse(ByteBuffer.wrap(bytes));
      if (image.type() != ImageType.SCRIPT) {
        throw new ImageFormatException(
            "uImage", "ih_type", 30, image.type().shortName() + " is not a script");
      }
      bytes = image.parts().get(0).toByteArray();
    }
    return parse(new String(bytes, StandardCharsets.UTF_8));
  }

  /** The lines that hold commands. */
  public List<Line> lines() {
    return lines;
  }

  /** The text, without blank lines and comment lines. */
  public String text() {
    return lines.stream().map(line -> line.text() + "\n").collect(Collectors.joining());
  }

  /** Writes the text to a file, which is created or replaced. */
  public void write(Path file) throws IOException {
    Files.writeString(file, text());
  }

  /** The text wrapped for U-Boot's {@code source} command. */
  public UImage toImage(CpuArchitecture architecture, String name) {
    return UImage.builder()
        .architecture(architecture)
        .type(ImageType.SCRIPT)
        .name(name)
        .data(ImageData.of(text()))
        .build();
  }

  /**
   * Follows the script on paper: what it would load, erase, write and start on a board, and what it
   * would destroy.
   *
   * @param board the board's memory and flash
   * @param files what the TFTP server would serve
   */
  public ScriptPlan check(MemoryMap board, ImageSource files) {
    return new ScriptChecker(this, board, files).check();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof UBootScript that && commands().equals(that.commands());
  }

  private List<List<UBootCommand>> commands() {
    return lines.stream().map(Line::commands).toList();
  }

  @Override
  public int hashCode() {
    return commands().hashCode();
  }

  @Override
  public String toString() {
    return text();
  }
}
