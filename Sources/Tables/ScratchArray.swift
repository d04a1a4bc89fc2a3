/// A fixed number of elements that one worker overwrites again and again: allocated once, never
/// grown, never copied.
///
/// An `InlineArray` would do, but reading one element of a stored `InlineArray` from another target
/// copies the whole array (Swift 6.3, seen in callgrind).
@safe @frozen @usableFromInline
package struct ScratchArray<Element: BitwiseCopyable>: ~Copyable {
    // SAFETY: `capacity` initialized elements, owned by this value; every access is checked.
    @usableFromInline let base: UnsafeMutablePointer<Element>
    @usableFromInline package let capacity: Int

    @inlinable package init(capacity: Int, repeating element: Element) {
        unsafe base = .allocate(capacity: capacity)
        unsafe base.initialize(repeating: element, count: capacity)
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    @inlinable package subscript(index: Int) -> Element {
        get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: capacity))
            return unsafe base[index]
        }
        set {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: capacity))
            unsafe base[index] = newValue
        }
    }
}

extension ScratchArray where Element: Sendable {
    /// A window for what reads tables. Whoever uses it holds the array meanwhile.
    @inlinable package var view: TableView<Element> {
        unsafe TableView(UnsafeBufferPointer(start: base, count: capacity))
    }
}

// SAFETY: one owner; moving it to another thread moves all there is.
extension ScratchArray: @unchecked Sendable where Element: Sendable {}
