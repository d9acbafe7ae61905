"""The keys of Vega-Lite's schema, 5.6 and 6: what else stands in a chart is for Vega, or for nobody, and goes.

Its compiler hands on much that it does not know, and takes over what it would make itself: how events are bound, what a
selection looks at.
"""

from __future__ import annotations

from typing import Any

from .names import words

_KEYS = words(
    """
    $schema aggregate align anchor and angle animationDuration arc area argmax argmin aria ariaRole
    ariaRoleDescription as aspect autocomplete autosize axis axisBand axisBottom axisDiscrete axisLeft axisPoint
    axisQuantitative axisRight axisTemporal axisTop axisX axisXBand axisXDiscrete axisXPoint axisXQuantitative
    axisXTemporal axisY axisYBand axisYDiscrete axisYPoint axisYQuantitative axisYTemporal background band
    bandPaddingInner bandPaddingOuter bandPosition bandSize bandWithNestedOffsetPaddingInner
    bandWithNestedOffsetPaddingOuter bandwidth bar barBandPaddingInner base baseline bbox between bin binSpacing
    bind binned bins blend borders bottom bounds box boxplot calculate category center circle clamp clear clip
    clipAngle clipExtent clipHeight coefficient color column columnPadding columns concat condition config
    constant consume contains content continuousBandSize continuousHeight continuousPadding continuousWidth
    coordinates cornerRadius cornerRadiusBottomLeft cornerRadiusBottomRight cornerRadiusEnd cornerRadiusTopLeft
    cornerRadiusTopRight count countTitle counts cumulative currency cursor customFormatTypes data datasets date
    dateTime datum day dayofyear days debounce decimal default delimiter density description detail dir
    direction disable discreteBandSize discreteHeight discreteWidth distance diverging divide domain domainCap
    domainColor domainDash domainDashOffset domainMax domainMid domainMin domainOpacity domainRaw domainWidth dx
    dy ellipsis empty encoding encodings endAngle equal errorband errorbar event exponent exponential
    exponentialb expr extent extentMajor extentMinor facet feature features field fieldTitle fields fill
    fillColor fillOpacity filled filter fit flatten fold font fontSize fontStyle fontWeight for format
    formatType fraction frame framesPerSecond from gamma geometries geometry geoshape gradient gradientDirection
    gradientHorizontalMaxLength gradientHorizontalMinLength gradientLabelLimit gradientLabelOffset
    gradientLength gradientOpacity gradientStrokeColor gradientStrokeWidth gradientThickness
    gradientVerticalMaxLength gradientVerticalMinLength graticule grid gridAlign gridCap gridColor gridDash
    gridDashOffset gridOpacity gridWidth group-subtitle group-title groupby grouping gt gte guide-label
    guide-title hconcat header headerColumn headerFacet headerRow heatmap height hours id ignorePeers image
    impute innerRadius input interpolate interval invalid joinaggregate key keyvals labelAlign labelAnchor
    labelAngle labelBaseline labelBound labelColor labelExpr labelFlush labelFlushOffset labelFont labelFontSize
    labelFontStyle labelFontWeight labelLimit labelLineHeight labelOffset labelOpacity labelOrient labelOverlap
    labelPadding labelSeparation labels latitude latitude2 layer layout left legend legendX legendY limit line
    lineBreak lineHeight lobes locale loess longitude longitude2 lookup lt lte mark markname marktype max
    maxBandSize maxExtent maxFontSize maxOpacity maxSize maxStrokeWidth maxbins maxsteps median merge mesh
    method milliseconds min minBandSize minExtent minFontSize minOpacity minSize minStrokeWidth minstep minsteps
    minus minutes month months name nan nearest nice normalizedNumberFormat normalizedNumberFormatType not
    number numberFormat numberFormatType numerals offset offsetBandPaddingInner offsetBandPaddingOuter on oneOf
    op opacity options or order ordinal orient outerRadius outliers padAngle padding paddingInner paddingOuter
    parallel parallels param params parse percent periods pivot placeholder point pointPadding pointRadius
    position precision probs projection properties property quantile quantileCount quantizeCount quarter r1 r2
    radius radius2 radius2Offset radiusOffset ramp range rangeMax rangeMin ratio react rect rectBandPaddingInner
    reflectX reflectY regression repeat rescale resize resolve reverse right rotate round row rowPadding rule
    sample scale scheme seconds select selection sequence shape signal shortDays shortMonths size smooth sort source
    spacing spec sphere square stack start startAngle step stepMajor stepMinor steps stop stops stream stroke
    strokeCap strokeColor strokeDash strokeDashOffset strokeJoin strokeMiterLimit strokeOffset strokeOpacity
    strokeWidth style subtitle subtitleColor subtitleFont subtitleFontSize subtitleFontStyle subtitleFontWeight
    subtitleLineHeight subtitlePadding symbol symbolBaseFillColor symbolBaseStrokeColor symbolDash
    symbolDashOffset symbolDirection symbolFillColor symbolLimit symbolOffset symbolOpacity symbolSize
    symbolStrokeColor symbolStrokeWidth symbolType tension test text theta theta2 theta2Offset thetaOffset
    thickness thousands throttle tick tickBand tickBandPaddingInner tickCap tickColor tickCount tickDash
    tickDashOffset tickExtra tickMinStep tickOffset tickOpacity tickRound tickSize tickWidth ticks tilt time
    timeFormat timeFormatType timeUnit timeUnitBandPosition timeUnitBandSize title titleAlign titleAnchor
    titleAngle titleBaseline titleColor titleFont titleFontSize titleFontStyle titleFontWeight titleLimit
    titleLineHeight titleOpacity titleOrient titlePadding titleX titleY toggle tooltip tooltipFormat top trail
    transform translate type unionWith unit unselectedOpacity useUnaggregatedDomain utc valid value values
    vconcat view views week width window x x1 x2 x2Offset xError xError2 xOffset xReverse y y1 y2 y2Offset
    yError yError2 yOffset year zero zindex zoom
    """
)
_CONFIG = words(
    """
    arc area aria autosize axis axisBand axisBottom axisDiscrete axisLeft axisPoint axisQuantitative axisRight
    axisTemporal axisTop axisX axisXBand axisXDiscrete axisXPoint axisXQuantitative axisXTemporal axisY
    axisYBand axisYDiscrete axisYPoint axisYQuantitative axisYTemporal background bar boxplot circle concat
    countTitle customFormatTypes errorband errorbar facet fieldTitle font geoshape header headerColumn
    headerFacet headerRow image legend line lineBreak locale mark normalizedNumberFormat
    normalizedNumberFormatType numberFormat numberFormatType padding params point projection range rect rule
    scale selection square style text tick timeFormat timeFormatType title tooltipFormat trail view
    """
)
_PARAMETER = words("bind expr name react select value views")
_SELECTION = words("clear encodings fields mark nearest on resolve toggle translate type zoom")


def known(value: Any, key: str = "", outer: str = "") -> Any:
    """The same specification with the keys that are known. key, outer: where it stands, and where that does."""
    match value:
        case list():
            return [known(item, key, outer) for item in value]
        case dict() if key in ("datasets", "parse", "bind"):
            return value
        case dict():
            names = _known_in(key, outer)
            kept = {name: item for name, item in value.items() if names is None or name in names}
            return {k: item if _is_free(k, key) else known(item, k, key) for k, item in kept.items()}
        case _:
            return value


def _is_free(key: str, outer: str) -> bool:
    """Whether its keys are names that nobody knows: columns, of rows or of what is selected."""
    return (outer, key) in (("data", "values"), ("params", "value"))


def _known_in(key: str, outer: str) -> frozenset[str] | None:
    match outer, key:
        case "config", "style" | "range":
            return None
        case _, "config":
            return _CONFIG
        case _, "params":
            return _PARAMETER
        case (_, "select") | ("selection", "point" | "interval"):
            return _SELECTION
        case _:
            return _KEYS
