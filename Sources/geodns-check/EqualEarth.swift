import Geography
import Glibc

/// The Equal Earth projection (Šavrič, Patterson and Jenny, 2018): areas are true, so that a large
/// catchment looks large. From degrees to a picture of a given width.
struct EqualEarth {
    let width: Double
    /// Of the picture: what lies beyond these latitudes is left out.
    let height: Double

    private static let north = 84.0
    private static let south = -57.0

    init(width: Double) {
        self.width = width
        let scale = width / (2 * EqualEarth.plane(180, 0).x)
        height =
            scale
            * (EqualEarth.plane(0, EqualEarth.north).y - EqualEarth.plane(0, EqualEarth.south).y)
    }

    /// Right and down from the upper left corner.
    func point(longitude: Double, latitude: Double) -> (x: Double, y: Double) {
        let scale = width / (2 * EqualEarth.plane(180, 0).x)
        let bounded = min(max(latitude, EqualEarth.south), EqualEarth.north)
        let point = EqualEarth.plane(longitude, bounded)
        return (
            width / 2 + scale * point.x, scale * (EqualEarth.plane(0, EqualEarth.north).y - point.y)
        )
    }

    /// On a sphere with radius 1.
    private static func plane(_ longitude: Double, _ latitude: Double) -> (x: Double, y: Double) {
        let (a1, a2, a3, a4) = (1.340264, -0.081106, 0.000893, 0.003796)
        let root = 3.0.squareRoot()
        let theta = asin(root / 2 * sin(latitude * .pi / 180))
        let square = theta * theta
        let sixth = square * square * square
        let stretch = a1 + 3 * a2 * square + sixth * (7 * a3 + 9 * a4 * square)
        return (
            2 * root * (longitude * .pi / 180) * cos(theta) / (3 * stretch),
            theta * (a1 + a2 * square + sixth * (a3 + a4 * square))
        )
    }
}
