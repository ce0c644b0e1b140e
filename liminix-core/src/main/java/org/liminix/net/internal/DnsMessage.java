package org.liminix.net.internal;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A DNS message (RFC 1035 section 4).
 *
 * @param id the same in question and answer
 * @param flags all of the second word: QR, opcode, AA, TC, RD, RA and the low bits of the code
 * @param questions what is asked
 * @param answers and what is answered
 * @param authorities who could say more
 * @param additional what else belongs to it, OPT among it (RFC 6891)
 */
public record DnsMessage(
    int id,
    int flags,
    List<Question> questions,
    List<Resource> answers,
    List<Resource> authorities,
    List<Resource> additional) {
  public static final int RESPONSE = 0x8000;
  public static final int OPCODE = 0x7800;
  public static final int AUTHORITATIVE = 0x0400;
  public static final int TRUNCATED = 0x0200;
  public static final int RECURSION_DESIRED = 0x0100;
  public static final int RECURSION_AVAILABLE = 0x0080;

  private static final int HEADER = 12;

  public static final int OPT = 41;
  public static final int IN = 1;

  /** What fits a datagram without OPT (section 4.2.1). */
  public static final int LEAST_SIZE = 512;

  /** A question about a name. */
  public record Question(String name, int type, int klass) {}

  /**
   * A resource record.
   *
   * @param klass IN, or of OPT the size that fits a datagram
   * @param ttl in seconds, or of OPT its version and flags
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared, and read once
  public record Resource(String name, int type, int klass, int ttl, byte[] data) {}

  /** Parses a datagram; empty if it is no message. */
  public static Optional<DnsMessage> parse(ByteBuffer datagram) {
    ByteBuffer message = datagram.slice();
    if (message.remaining() < HEADER) {
      return Optional.empty();
    }
    int id = Short.toUnsignedInt(message.getShort());
    int flags = Short.toUnsignedInt(message.getShort());
    int[] counts = new int[4];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = Short.toUnsignedInt(message.getShort());
    }
    List<Question> questions = new ArrayList<>();
    for (int i = 0; i < counts[0]; i++) {
      Optional<String> name = DnsName.read(message);
      if (name.isEmpty() || message.remaining() < 4) {
        return Optional.empty();
      }
      questions.add(
          new Question(
              name.get(),
              Short.toUnsignedInt(message.getShort()),
              Short.toUnsignedInt(message.getShort())));
    }
    List<List<Resource>> sections = new ArrayList<>();
    for (int section = 1; section < counts.length; section++) {
      List<Resource> resources = new ArrayList<>();
      for (int i = 0; i < counts[section]; i++) {
        Optional<Resource> resource = resource(message);
        if (resource.isEmpty()) {
          return Optional.empty();
        }
        resources.add(resource.get());
      }
      sections.add(resources);
    }
    return Optional.of(
        new DnsMessage(id, flags, questions, sections.get(0), sections.get(1), sections.get(2)));
  }

  private static Optional<Resource> resource(ByteBuffer message) {
    Optional<String> name = DnsName.read(message);
    if (name.isEmpty() || message.remaining() < 10) {
      return Optional.empty();
    }
    int type = Short.toUnsignedInt(message.getShort());
    int klass = Short.toUnsignedInt(message.getShort());
    int ttl = message.getInt();
    byte[] data = new byte[Short.toUnsignedInt(message.getShort())];
    if (data.length > message.remaining()) {
      return Optional.empty();
    }
    message.get(data);
    return Optional.of(new Resource(name.get(), type, klass, ttl, data));
  }

  /** The message as a datagram; empty if it is longer than so many bytes. */
  public Optional<ByteBuffer> encode(int most) {
    ByteBuffer out = ByteBuffer.allocate(most);
    Map<String, Integer> names = new HashMap<>();
    try {
      out.putShort((short) id).putShort((short) flags).putShort((short) questions.size());
      out.putShort((short) answers.size()).putShort((short) authorities.size());
      out.putShort((short) additional.size());
      for (Question question : questions) {
        DnsName.write(out, question.name(), names);
        out.putShort((short) question.type()).putShort((short) question.klass());
      }
      for (List<Resource> section : List.of(answers, authorities, additional)) {
        for (Resource resource : section) {
          DnsName.write(out, resource.name(), names);
          out.putShort((short) resource.type()).putShort((short) resource.klass());
          out.putInt(resource.ttl()).putShort((short) resource.data().length);
          out.put(resource.data());
        }
      }
    } catch (BufferOverflowException e) {
      return Optional.empty();
    }
    return Optional.of(out.flip());
  }
}
