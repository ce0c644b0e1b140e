package org.liminix.tftp;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.liminix.tftp.internal.BufferPool;
import org.liminix.tftp.internal.BytesSource;
import org.liminix.tftp.internal.FileSource;
import org.liminix.tftp.internal.GzipSource;
import org.liminix.tftp.internal.NetasciiSource;
import org.liminix.tftp.internal.Source;
import org.liminix.tftp.internal.StreamSource;

/**
 * What a server has to offer: files in memory, then generated ones, then those in its roots.
 *
 * @param mapping changes names before they are looked up
 * @param files in memory or named one by one, under their plain names
 * @param generators asked in turn
 * @param roots searched in turn
 */
record Catalogue(
    UnaryOperator<String> mapping,
    Map<String, TftpContent> files,
    List<Function<TftpRequest, Optional<TftpContent>>> generators,
    List<Root> roots) {

  /**
   * A folder to serve.
   *
   * @param folder absolute
   * @param strict whether links must stay inside
   */
  record Root(Path folder, boolean strict) {}

  /**
   * Opens what a request asks for. May wait for a disk, so not on an event loop.
   *
   * @throws TftpException with the code the client is to get
   */
  Source open(TftpRequest request, BufferPool pool) {
    Source source = find(request, pool);
    return request.mode() == TftpRequest.Mode.NETASCII ? new NetasciiSource(source) : source;
  }

  private Source find(TftpRequest request, BufferPool pool) {
    String name = mapping.apply(request.file());
    TftpContent content = files.get(plain(name));
    if (content != null) {
      return open(content, request, pool);
    }
    for (Function<TftpRequest, Optional<TftpContent>> generator : generators) {
      Optional<TftpContent> generated = generator.apply(request);
      if (generated.isPresent()) {
        return open(generated.get(), request, pool);
      }
    }
    TftpException refusal = null;
    for (Root root : roots) {
      try {
        Source source = open(root, name, request, pool);
        if (source != null) {
          return source;
        }
      } catch (TftpException e) {
        refusal = refusal == null ? e : refusal;
      }
    }
    throw refusal != null ? refusal : notFound(request);
  }

  private static TftpException notFound(TftpRequest request) {
    return new TftpException(
        TftpError.FILE_NOT_FOUND, TftpRequest.printable(request.file()) + " not found");
  }

  private static Source open(TftpContent content, TftpRequest request, BufferPool pool) {
    if (content.bytes != null) {
      return new BytesSource(content.bytes);
    }
    if (content.stream != null) {
      return new StreamSource(content.stream.get(), content.size);
    }
    Path file = content.file;
    try {
      Source source = file == null ? null : regular(file, request, pool);
      if (source == null) {
        throw notFound(request);
      }
      return source;
    } catch (IOException e) {
      throw refusal(request, e);
    }
  }

  /** The file of that name in a root, or null if there is none. */
  private static @Nullable Source open(
      Root root, String name, TftpRequest request, BufferPool pool) {
    try {
      Path file = inside(root.folder(), name);
      Source source = checked(root, file, request, pool);
      if (source == null) {
        Path compressed = file.resolveSibling(file.getFileName() + ".gz");
        if (checkedPath(root, compressed) && isRegular(compressed, request)) {
          source = GzipSource.open(compressed, pool, request.options().containsKey("tsize"));
        }
      }
      return source;
    } catch (InvalidPathException e) {
      return null;
    } catch (IOException e) {
      throw refusal(request, e);
    }
  }

  private static @Nullable Source checked(
      Root root, Path file, TftpRequest request, BufferPool pool) throws IOException {
    return checkedPath(root, file) ? regular(file, request, pool) : null;
  }

  /** Whether something is there; refuses what a strict root's links lead out to. */
  private static boolean checkedPath(Root root, Path file) throws IOException {
    if (!root.strict()) {
      return true;
    }
    try {
      if (!file.toRealPath().startsWith(root.folder().toRealPath())) {
        throw outside();
      }
      return true;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static @Nullable Source regular(Path file, TftpRequest request, BufferPool pool)
      throws IOException {
    return isRegular(file, request) ? FileSource.open(file, pool) : null;
  }

  /** False if there is nothing; refuses what is there and no regular file, without opening it. */
  private static boolean isRegular(Path file, TftpRequest request) throws IOException {
    BasicFileAttributes attributes;
    try {
      attributes = Files.readAttributes(file, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      return false;
    } catch (AccessDeniedException e) {
      throw e;
    } catch (FileSystemException e) {
      return false; // too long a name, a file where a folder is named, links in a circle
    }
    if (!attributes.isRegularFile()) {
      throw new TftpException(
          TftpError.ACCESS_VIOLATION,
          TftpRequest.printable(request.file())
              + (attributes.isDirectory() ? " is a directory" : " is not a regular file"));
    }
    return true;
  }

  private static TftpException refusal(TftpRequest request, IOException cause) {
    return cause instanceof NoSuchFileException
        ? notFound(request)
        : new TftpException(
            TftpError.ACCESS_VIOLATION,
            TftpRequest.printable(request.file())
                + " cannot be read"
                + (cause instanceof AccessDeniedException ? ": permission denied" : ""));
  }

  private static TftpException outside() {
    return new TftpException(
        TftpError.ACCESS_VIOLATION, "That name leads out of the folder that is served");
  }

  /**
   * The path a name stands for in a folder. A leading slash means the folder itself, unless the
   * name begins with the folder's own path, as {@code tufted}'s users write it.
   *
   * @throws TftpException if it climbs out
   */
  static Path inside(Path folder, String name) {
    String own = folder + "/";
    String relative = name.startsWith(own) ? name.substring(own.length()) : name;
    Deque<String> parts = new ArrayDeque<>();
    for (String part : relative.split("/", -1)) {
      if (part.equals("..")) {
        if (parts.pollLast() == null) {
          throw outside();
        }
      } else if (!part.isEmpty() && !part.equals(".")) {
        parts.addLast(part);
      }
    }
    return folder.resolve(String.join("/", parts));
  }

  /** A name without the slashes in front. */
  static String plain(String name) {
    int start = 0;
    while (start < name.length() && name.charAt(start) == '/') {
      start++;
    }
    return name.substring(start);
  }

  /** Whether a path is there at all, be it a link that leads nowhere. */
  static boolean exists(Path path) {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }
}
