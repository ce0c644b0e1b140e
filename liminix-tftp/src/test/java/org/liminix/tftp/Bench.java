package org.liminix.tftp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.UnaryOperator;

/** A server in a private folder and the clients of one test. */
final class Bench implements AutoCloseable {
  final Path root;
  final TftpServer server;
  final RawPeer client;

  Bench(Path root) {
    this(root, builder -> builder);
  }

  Bench(Path root, UnaryOperator<TftpServerBuilder> setting) {
    this.root = root;
    this.server =
        setting.apply(TftpServer.allow("127.0.0.0/8").address("127.0.0.1").root(root)).start();
    this.client = new RawPeer(server.address());
  }

  RawPeer another() {
    return new RawPeer(server.address());
  }

  /** A client at an address of its own, on loopback. */
  RawPeer at(String address) {
    return new RawPeer(server.address(), new InetSocketAddress(address, 0));
  }

  /** Puts a file of that size with random content into the root. */
  byte[] put(String name, int size) {
    byte[] content = random(size);
    put(name, content);
    return content;
  }

  void put(String name, byte[] content) {
    try {
      Path file = root.resolve(name);
      Files.createDirectories(file.getParent());
      Files.write(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] random(int size) {
    byte[] content = new byte[size];
    new Random(size).nextBytes(content);
    return content;
  }

  @Override
  public void close() {
    client.close();
    server.close();
  }
}
