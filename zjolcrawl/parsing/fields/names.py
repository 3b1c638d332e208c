"""Chinese names: family names, words that are not names, outlets, workplaces, and tests for each."""

from __future__ import annotations

import re
from itertools import takewhile

HAN = r"[\u3400-\u9fff\U00020000-\U0003ffff]"
# Family names: 百家姓 (the traditional list) plus names common today. Names that also begin common
# words (时政, 国内) are in SHARED: they need two more characters. Compound names come first.
SURNAMES = (
    "欧阳|上官|司徒|诸葛|司马|皇甫|令狐|夏侯|闻人|赫连|尉迟|公羊|澹台|公冶|宗政|濮阳|淳于|单于|申屠|公孙|仲孙|轩辕|钟离|宇文|长孙|慕容|鲜于|"
    "闾丘|司空|亓官|司寇|颛孙|端木|巫马|公西|漆雕|乐正|公良|拓跋|谷梁|段干|东郭|呼延|羊舌|梁丘|左丘|南宫|"
    "[赵钱白孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范彭郎鲁韦昌马苗凤方俞任袁柳酆鲍史唐费廉岑薛"
    "雷贺倪汤滕殷罗毕郝邬傅卞康伍余卜顾孟黄穆萧尹姚邵湛汪祁毛禹狄米贝臧伏戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻贾娄危江童颜郭梅盛林"
    "刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯昝卢莫裘缪应宗丁宣贲邓郁杭洪包诸左石崔吉钮龚程嵇邢裴陆荣翁荀羊於惠甄曲芮羿储靳汲邴糜井段"
    "巫乌焦巴弓隗谷侯宓郗班仰仲伊宫宁仇栾甘钭厉戎武符刘詹束龙叶幸韶郜黎蓟薄宿蒲邰鄂籍赖卓蔺屠蒙池乔胥莘翟谭劳逄姬申堵冉宰郦"
    "雍郤璩桑桂濮牛寿扈燕冀郏浦庄晏柴瞿阎茹艾易慎戈廖庾暨衡耿匡寇阙欧殳沃蔚夔隆巩厍聂晁敖訾辛阚简饶曾毋沙乜鞠丰巢蒯查荆竺权逯桓闫鄢涂岳缑亢"
    "励况郈牟佘谯笪佟向肖覃邸冼麦揭苟尧谌邝粟栗付边闻斯楼仝亓仉忻恽戢檀雒麹庹佴禤]"
)
SHARED = "来占兰求单支景封印祖干房尚商贡索牧水云花安常乐时齐元平和明计成强路经解管温关容居连古师冷游晋楚原桑全文东钦阳党农公言海相满池国利盖单车年家都欧司"
# Words that begin with a family name and appear where names do: places in Zhejiang, headings.
WORDS = re.compile(
    "杭州|宁波|余[杭姚]|萧山|江[干山北东南苏西]|金[华东融牌]|龙[游泉港湾舟]|武[义汉]|黄[岩金]|柯[桥城]|浦[江东]|诸暨|吴兴|钱塘|[郑苏徐]州|高[考温校速新]|方向|"
    "马上|白天|任[务免职]|项目|纪[念录]|施工|卫[生视]|康养|贺岁|熊猫|夏[天季]|华侨|程序|章程|石油|雷电|毛巾|谈话|[\u3400-\u9fff]{2,3}[省市县区委局报网社]"
)
SHARED_WORDS = (
    "来[源自电稿]|占[地比]|兰[溪州]|求[助职]|时[政事评间代]|国[内际家庆]|文[化艺物娱体旅成明件教]|平[台湖阳安]|公[益告安园司]|都市|家[居长乐]|经济|农[业家民村]|车[市展辆]|明星|安[全徽吉]|广[东告]|海[外宁盐洋]|温[州岭馨]|常山|乐清|景[宁区]|"
    "云和|路桥|东[阳方]|全[国省文市县部]|原创|关[注闭]|商[城务场]|成[都长绩]|党[建员委]|古[镇村]|水[利库]|旅游|言论|年[度夜]|强[台冷降]|连[日续]|相关|和谐|计划|解[读放]|管理|单位|支[持部]|祖国|干部|房[产屋]|"
    "容易|居民|师生|游[客泳]|原[创因]|齐心|元旦|花[开园]|满意"
)
FULL_NAME = re.compile(rf"(?:{SURNAMES}){HAN}{{1,2}}|(?!{SHARED_WORDS})[{SHARED}]{HAN}{{2}}")
# 时丹: two characters count as a name only where a name is expected.
SHARED_NAME = re.compile(rf"(?!{SHARED_WORDS})[{SHARED}]{HAN}")
# What people do for a film or a picture: a role before a colon or slash, or alone between people.
DEEDS = (
    "剪辑|设计|海报|插图|插画|手绘|动画|动漫|航拍|拍摄|摄像|配音|出镜|视觉|数据|记录|主持|文字|采访|视频|音频|图文|图片|图表|"
    "制作|导演|编导|后期|配图|题图|美术|文案|撰写"
)
# Words that appear among names and are not names.
NO_NAME = re.compile(
    r"(?:文|图|摄|文图|图文|文摄|摄影|报道|摄影报道|综合报道|联合报道|实习报道|综合|评论|发自\S{0,8}|打印|我要纠错|举报电话|新闻热线|热线|投稿|邮箱|收藏|关闭|分享|更多|返回|纠错|等|电|讯|整理|整合|编译|采写|撰写|发自|"
    r"记者|编辑|未知|佚名|匿名|无|不详|见习|实习|视频|图片|和|与|来源|供稿|提供|集体|小编|网友|网络|互联网|原创|转载|单位|"
    # 本网综合, 浙江在线整理: how the text was produced.
    rf"本[网报站刊台社]|编辑部|{HAN}{{0,6}}(?:综合|整理|转载|采写|编译|摘编)(?:报道)?|admin\w*|administrator|root|system|test|guest|editor)",
    re.IGNORECASE,
)
# Placeholders in an author field that names nobody, and headings that follow an empty one.
NOBODY = re.compile(
    rf"{DEEDS}|制图|漫画|供图|相关|文章|精彩|热门|热点|每日|今日|最新|本[网报站刊台社][讯电]|(?:来源|来自|源自){HAN}{{0,6}}|返回{HAN}{{0,8}}|"
    rf"{HAN}{{0,8}}(?:小编|编辑部|编者|管理员|用户|网友|网络|佚名|匿名|作者|记者站)|"
    # the last words of headings and links below a text on the site's pages
    rf"{HAN}{{0,8}}(?:新闻|动态|推荐|排行榜?|分享|关注|稿件|资讯|阅读|链接|专题|评论|[声申]明|热线|总监|网站|首页|频道|更多|回顾|看点|热点|聚焦|"
    r"速递|速览|导读|要闻|头条|公告|图库|图集|导航|论坛|博客|微博|微信|客户端|公众号|邮箱|投稿|电话|传真|留言|纠错|举报|订阅|直播|精选|服务|我们)|"
    r"null|undefined|none|nil|nan|unknown|anonymous|author|user\w*|webmaster|default|n/?a",
    re.IGNORECASE,
)
# 网站总监:…: the site's footer starts here.
SITE_FOOTER = re.compile(
    r"(?:网站总监|新闻热线|热线|电话|传真|邮箱|地址|邮编|邮政编码|投稿|[Qq]{2})\s?[:：]"
)
# 武警通讯员, 首席摄影, 市委报道组: part of a role, not a name.
QUALIFIER = re.compile(
    "(?:武警|消防|公安|交警|交通|特警|边防|海警|部队|驻军|首席|资深|特约|特聘|特邀|学生|市民|校园|大学生|小|全媒|融媒|出镜|前方|后方|一线|本地|签约|热心|"
    "[省市县区州]委|[省市县区]政府|新区|开发区|高新区|管委会|[省市县区]?宣传部|街道|乡镇|镇|乡)$"
)
# An outlet, which is not an author by itself; 供电站 and 合作社 can be authors.
MEDIUM = re.compile(
    rf"{HAN}{{0,10}}(?:报|(?<!电)网|在线|新闻|客户端|频道|电视台?|电台|广播|通讯社|报社|新华社|中新社|周刊|杂志|传媒|融媒体?|发布|视界|视频号|"
    r"(?:媒体?|新闻|采编|编辑|报业|传播|视频)(?:中心|部|集团))"
)
# Endings of the names of organisations where correspondents and contributors work.
ORGANISATION_END = re.compile(
    r"(?:大学|学院|学校|中学|小学|公安|部门?|局|委|办|组|中心|医院|公司|集团|法院|检察院|支队|大队|街道|镇|乡|县|区|"
    r"市|院|所|站|协会|学会|联合会|总工会|银行|馆|社区|村|宣传部|党校)$"
)
_BARE_NAME = re.compile(
    rf"(?:{HAN}{{2,4}}|{HAN}{{1,8}}(?:·{HAN}{{1,8}})+)(?:[/／](?:文|图|摄|摄影|图文|文图|视频|制图))?"
)
_APART = re.compile(rf"(?<!{HAN})({HAN})[ \u3000]+({HAN})(?!{HAN})")


def closed_up(text: str) -> str:
    """The text with single characters joined, which pages set apart in names: 江 帆 becomes 江帆."""
    return _APART.sub(r"\1\2", text)


def is_nobody(word: str) -> bool:
    """Whether a word in the place of a name is not a person: 网络, 每日关注, null."""
    return bool(NO_NAME.fullmatch(word) or NOBODY.fullmatch(word))


def is_name(text: str) -> bool:
    """Whether the text is exactly one Chinese name: a common family name and one or two characters."""
    if sum(map(len, text.split(None, 4))) > 4:
        return False
    joined = closed_up(text.strip())
    if WORDS.fullmatch(joined):
        return False
    nobody = NO_NAME.match(joined)
    # 文慧 begins with a role
    is_word = nobody and (nobody.end() > 1 or nobody.end() == len(joined))
    return bool(FULL_NAME.fullmatch(joined)) and not is_word


def leading_names(text: str) -> tuple[str, str]:
    """The names at the start of a text without roles, and the rest: `庄小蕾/文 王平/摄`, `阮 帅`."""
    words = re.split(r"[\s、,，]+", closed_up(text.strip()))
    names = list(takewhile(_is_bare_name, words))
    return " ".join(names), " ".join(words[len(names) :])


def _is_bare_name(word: str) -> bool:
    name = re.split("[/／]", word)[0]
    is_one = is_name(name) or "·" in name or bool(SHARED_NAME.fullmatch(name))
    return is_one and bool(_BARE_NAME.fullmatch(word))


def is_organisation(name: str) -> bool:
    """Whether a word ends like an organisation where contributors work: 县委宣传部."""
    return len(name) >= 4 and bool(ORGANISATION_END.search(name))
