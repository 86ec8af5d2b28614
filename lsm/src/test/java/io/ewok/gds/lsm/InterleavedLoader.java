package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Set;

/**
 * Loads the classes of one package anew, whose accesses to memory, to one volatile field and whose
 * spins go to {@link Interleaver}.
 */
public class InterleavedLoader extends ClassLoader {
  private static final ClassDesc MEMORY = ClassDesc.of(Memory.class.getName());
  private static final ClassDesc THREAD = ClassDesc.of(Thread.class.getName());
  private static final ClassDesc INTERLEAVER = ClassDesc.of(Interleaver.class.getName());
  private static final MethodTypeDesc NOTHING = MethodTypeDesc.of(ConstantDescs.CD_void);
  private static final Set<String> SHARED =
      Set.of(
          "getInt",
          "getIntAcquire",
          "putInt",
          "putIntRelease",
          "getLong",
          "getLongAcquire",
          "putLong",
          "putLongRelease",
          "compareAndSetLong");
  private static final Set<String> SPINS = Set.of("onSpinWait", "yield");

  private final String prefix;
  private final String field;
  private final String alwaysTrue;

  /**
   * Creates it.
   *
   * @param alwaysTrue a method that is to return nothing but true, for who wants to see that this
   *     is found; empty if none is
   */
  public InterleavedLoader(String packageName, String field, String alwaysTrue) {
    super(InterleavedLoader.class.getClassLoader());
    this.prefix = packageName + ".";
    this.field = field;
    this.alwaysTrue = alwaysTrue;
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    synchronized (getClassLoadingLock(name)) {
      if (!isLoadedHere(name)) {
        return super.loadClass(name, resolve);
      }
      Class<?> loaded = findLoadedClass(name);
      return loaded != null ? loaded : define(name);
    }
  }

  /** Whether a class is loaded anew. */
  boolean isLoadedHere(String name) {
    return name.startsWith(prefix);
  }

  private Class<?> define(String name) throws ClassNotFoundException {
    try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] bytes = transformed(name, in.readAllBytes());
      return defineClass(name, bytes, 0, bytes.length);
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }

  /** Returns a class as it is to be loaded. */
  byte[] transformed(String name, byte[] bytes) {
    ClassFile file = ClassFile.of();
    ClassTransform mistake =
        ClassTransform.transformingMethods(
            method -> method.methodName().equalsString(alwaysTrue),
            (builder, _) -> builder.withCode(code -> code.iconst_1().ireturn()));
    byte[] mistaken =
        alwaysTrue.isEmpty() ? bytes : file.transformClass(file.parse(bytes), mistake);
    return file.transformClass(
        file.parse(mistaken), ClassTransform.transformingMethodBodies(this::redirect));
  }

  /** Puts in what comes in place of an instruction, or before it. */
  void redirect(CodeBuilder code, CodeElement element) {
    if (element instanceof InvokeInstruction call
        && call.opcode() == Opcode.INVOKESTATIC
        && call.owner().asSymbol().equals(MEMORY)
        && SHARED.contains(call.name().stringValue())) {
      code.invokestatic(INTERLEAVER, call.name().stringValue(), call.typeSymbol());
    } else if (element instanceof InvokeInstruction call
        && call.owner().asSymbol().equals(THREAD)
        && SPINS.contains(call.name().stringValue())) {
      code.invokestatic(INTERLEAVER, "pause", NOTHING);
    } else {
      if (element instanceof FieldInstruction access && access.name().equalsString(field)) {
        boolean write = access.opcode() == Opcode.PUTFIELD;
        code.invokestatic(INTERLEAVER, write ? "putField" : "getField", NOTHING);
      }
      code.with(element);
    }
  }
}
